//! What no server may ever be sent, whatever the caller of the C interface does: read from the requests as they
//! arrive, by code that is not the library's. Some of it ends an etcd 3.4.

use prost::Message;

#[allow(clippy::all, dead_code)]
mod pb {
    pub mod mvccpb {
        include!(concat!(env!("OUT_DIR"), "/mvccpb.rs"));
    }
    pub mod authpb {
        include!(concat!(env!("OUT_DIR"), "/authpb.rs"));
    }
    pub mod etcdserverpb {
        include!(concat!(env!("OUT_DIR"), "/etcdserverpb.rs"));
    }
}

use pb::authpb;
use pb::etcdserverpb::{self as rpc, *};

type Found = Result<(), String>;

/// Ends the process at a request that should not be.
pub fn request(method: &str, message: &[u8]) {
    if let Err(why) = judge(method, message) {
        eprintln!("a {method} that should not have left the library: {why}: {message:02x?}");
        std::process::abort();
    }
}

fn judge(method: &str, message: &[u8]) -> Found {
    match method {
        "Range" | "RangeStream" => range(&read(message)?),
        "Put" => put(&read(message)?),
        "DeleteRange" => delete(&read(message)?),
        "Txn" => txn(&read(message)?, 0),
        "Compact" => not_negative("revision", read::<CompactionRequest>(message)?.revision),
        "Watch" => watch(&read(message)?),
        "LeaseGrant" => {
            let grant: LeaseGrantRequest = read(message)?;
            demand(grant.ttl > 0, "no time to live")?;
            not_negative("id", grant.id)
        }
        "LeaseRevoke" => lease(read::<LeaseRevokeRequest>(message)?.id),
        "LeaseKeepAlive" => lease(read::<LeaseKeepAliveRequest>(message)?.id),
        "LeaseTimeToLive" => lease(read::<LeaseTimeToLiveRequest>(message)?.id),
        "Alarm" => {
            let alarm: AlarmRequest = read(message)?;
            demand(alarm_request::AlarmAction::try_from(alarm.action).is_ok(), "unknown action")?;
            demand(AlarmType::try_from(alarm.alarm).is_ok(), "unknown alarm")
        }
        "HashKV" => not_negative("revision", read::<HashKvRequest>(message)?.revision),
        "MoveLeader" => demand(read::<MoveLeaderRequest>(message)?.target_id != 0, "no target"),
        "Downgrade" => {
            let downgrade: DowngradeRequest = read(message)?;
            let action =
                downgrade_request::DowngradeAction::try_from(downgrade.action).map_err(|_| "unknown action")?;
            let cancel = action == downgrade_request::DowngradeAction::Cancel;
            demand(cancel || !downgrade.version.is_empty(), "no version")
        }
        "MemberAdd" => urls(&read::<MemberAddRequest>(message)?.peer_ur_ls),
        "MemberUpdate" => {
            let update: MemberUpdateRequest = read(message)?;
            demand(update.id != 0, "no member")?;
            urls(&update.peer_ur_ls)
        }
        "MemberRemove" => demand(read::<MemberRemoveRequest>(message)?.id != 0, "no member"),
        "MemberPromote" => demand(read::<MemberPromoteRequest>(message)?.id != 0, "no member"),
        "UserAdd" => {
            let user: AuthUserAddRequest = read(message)?;
            let without = user.options.is_some_and(|options| options.no_password);
            demand(without != !user.password.is_empty() || without, "no password")?;
            filled(&[&user.name])
        }
        "UserGet" => filled(&[&read::<AuthUserGetRequest>(message)?.name]),
        "UserDelete" => filled(&[&read::<AuthUserDeleteRequest>(message)?.name]),
        "UserChangePassword" => {
            let user: AuthUserChangePasswordRequest = read(message)?;
            filled(&[&user.name, &user.password])
        }
        "UserGrantRole" => {
            let grant: AuthUserGrantRoleRequest = read(message)?;
            filled(&[&grant.user, &grant.role])
        }
        "UserRevokeRole" => {
            let revoke: AuthUserRevokeRoleRequest = read(message)?;
            filled(&[&revoke.name, &revoke.role])
        }
        "RoleAdd" => filled(&[&read::<AuthRoleAddRequest>(message)?.name]),
        "RoleGet" => filled(&[&read::<AuthRoleGetRequest>(message)?.role]),
        "RoleDelete" => filled(&[&read::<AuthRoleDeleteRequest>(message)?.role]),
        "RoleGrantPermission" => {
            let grant: AuthRoleGrantPermissionRequest = read(message)?;
            let permission = grant.perm.ok_or("no permission")?;
            demand(authpb::permission::Type::try_from(permission.perm_type).is_ok(), "unknown permission")?;
            demand(!permission.key.is_empty(), "no key")?;
            filled(&[&grant.name])
        }
        "RoleRevokePermission" => {
            let revoke: AuthRoleRevokePermissionRequest = read(message)?;
            demand(!revoke.key.is_empty(), "no key")?;
            filled(&[&revoke.role])
        }
        "Authenticate" => filled(&[&read::<AuthenticateRequest>(message)?.name]),
        "MemberList" => read::<MemberListRequest>(message).map(drop),
        // Without fields.
        "Status" | "Defragment" | "Hash" | "Snapshot" | "LeaseLeases" | "AuthEnable" | "AuthDisable" | "AuthStatus"
        | "UserList" | "RoleList" => demand(message.is_empty(), "something in an empty message"),
        // A raw call, whose bytes are its caller's. No method of etcd is spelt so.
        _ => demand(method == method.to_lowercase(), "an unknown method"),
    }
}

fn read<M: Message + Default>(message: &[u8]) -> Result<M, String> {
    M::decode(message).map_err(|why| why.to_string())
}

fn demand(is: bool, or: &str) -> Found {
    match is {
        true => Ok(()),
        false => Err(or.into()),
    }
}

fn not_negative(name: &str, number: i64) -> Found {
    demand(number >= 0, name)
}

fn filled(texts: &[&str]) -> Found {
    demand(texts.iter().all(|text| !text.is_empty()), "an empty name or password")
}

fn lease(id: i64) -> Found {
    demand(id != 0, "no lease")
}

fn urls(urls: &[String]) -> Found {
    demand(!urls.is_empty() && urls.iter().all(|url| !url.is_empty()), "no URLs")
}

fn range(range: &RangeRequest) -> Found {
    demand(!range.key.is_empty(), "no key")?;
    not_negative("limit", range.limit)?;
    not_negative("revision", range.revision)?;
    for revision in
        [range.min_mod_revision, range.max_mod_revision, range.min_create_revision, range.max_create_revision]
    {
        not_negative("a filter's revision", revision)?;
    }
    demand(range_request::SortOrder::try_from(range.sort_order).is_ok(), "unknown order")?;
    demand(range_request::SortTarget::try_from(range.sort_target).is_ok(), "unknown target")
}

fn put(put: &PutRequest) -> Found {
    demand(!put.key.is_empty(), "no key")?;
    demand(!put.ignore_value || put.value.is_empty(), "a value to ignore")?;
    demand(!put.ignore_lease || put.lease == 0, "a lease to ignore")
}

fn delete(delete: &DeleteRangeRequest) -> Found {
    demand(!delete.key.is_empty(), "no key")
}

fn txn(txn: &TxnRequest, depth: usize) -> Found {
    txn.compare.iter().try_for_each(compare)?;
    for op in txn.success.iter().chain(&txn.failure) {
        use rpc::request_op::Request;
        match op.request.as_ref().ok_or("an empty operation")? {
            Request::RequestRange(one) => range(one)?,
            Request::RequestPut(one) => put(one)?,
            Request::RequestDeleteRange(one) => delete(one)?,
            Request::RequestTxn(one) => self::txn(one, depth + 1)?,
        }
    }
    Ok(())
}

fn compare(compare: &Compare) -> Found {
    use rpc::compare::{CompareResult, CompareTarget, TargetUnion};
    demand(!compare.key.is_empty(), "a comparison without a key")?;
    demand(CompareResult::try_from(compare.result).is_ok(), "unknown result")?;
    let target = CompareTarget::try_from(compare.target).map_err(|_| "unknown target")?;
    match (target, compare.target_union.as_ref().ok_or("nothing to compare with")?) {
        (CompareTarget::Version, TargetUnion::Version(number))
        | (CompareTarget::Create, TargetUnion::CreateRevision(number))
        | (CompareTarget::Mod, TargetUnion::ModRevision(number)) => not_negative("a comparison's number", *number),
        (CompareTarget::Lease, TargetUnion::Lease(_)) | (CompareTarget::Value, TargetUnion::Value(_)) => Ok(()),
        (target, union) => Err(format!("{target:?} compared with {union:?}")),
    }
}

fn watch(watch: &WatchRequest) -> Found {
    use rpc::watch_request::RequestUnion;
    match watch.request_union.as_ref().ok_or("an empty request")? {
        RequestUnion::CreateRequest(create) => {
            demand(!create.key.is_empty(), "no key")?;
            not_negative("start_revision", create.start_revision)?;
            let known = |filter: &i32| watch_create_request::FilterType::try_from(*filter).is_ok();
            demand(create.filters.iter().all(known), "unknown filter")
        }
        RequestUnion::CancelRequest(_) | RequestUnion::ProgressRequest(_) => Ok(()),
    }
}
