//! Who may do what: authentication on and off, users, roles and their permissions (§4, §10.9).

use super::ask::Answer;
use super::client::Client;
use super::error::{Error, Result};
use super::proto::authpb;
use super::proto::etcdserverpb as pb;
use super::range::KeyRange;
use super::response::Headed;
use super::transport::{Method, Repeat};
use zeroize::{Zeroize, Zeroizing};

pub use authpb::Permission;

macro_rules! methods {
    ($($name:ident = $path:literal, $repeat:ident;)*) => {
        $(const $name: Method = Method { path: concat!("/etcdserverpb.Auth/", $path), repeat: Repeat::$repeat };)*
    };
}

methods! {
    ENABLE = "AuthEnable", Never;
    DISABLE = "AuthDisable", Never;
    STATUS = "AuthStatus", Freely;
    USER_ADD = "UserAdd", Never;
    USER_DELETE = "UserDelete", Never;
    USER_CHANGE_PASSWORD = "UserChangePassword", Never;
    USER_GRANT_ROLE = "UserGrantRole", Never;
    USER_REVOKE_ROLE = "UserRevokeRole", Never;
    USER_GET = "UserGet", Freely;
    USER_LIST = "UserList", Freely;
    ROLE_ADD = "RoleAdd", Never;
    ROLE_DELETE = "RoleDelete", Never;
    ROLE_GRANT = "RoleGrantPermission", Never;
    ROLE_REVOKE = "RoleRevokePermission", Never;
    ROLE_GET = "RoleGet", Freely;
    ROLE_LIST = "RoleList", Freely;
}

fn named(name: &str, argument: &str) -> Result<String> {
    match name.is_empty() {
        true => Err(Error::argument(argument, "must not be empty")),
        false => Ok(name.to_owned()),
    }
}

impl Client {
    pub fn auth_enable(&self) -> Result<()> {
        self.ask::<pb::AuthEnableResponse>(ENABLE, &pb::AuthEnableRequest {}).map(drop)
    }

    pub fn auth_disable(&self) -> Result<()> {
        self.ask::<pb::AuthDisableResponse>(DISABLE, &pb::AuthDisableRequest {}).map(drop)
    }

    /// Whether it is on, and its revision.
    pub fn auth_status(&self) -> Result<(bool, u64)> {
        let answer: pb::AuthStatusResponse = self.ask(STATUS, &pb::AuthStatusRequest {})?;
        Ok((answer.enabled, answer.auth_revision))
    }

    /// A user; without a password one that can log in by certificate alone.
    pub fn user_add(&self, name: &str, password: Option<Zeroizing<String>>) -> Result<()> {
        let options = Some(authpb::UserAddOptions { no_password: password.is_none() });
        let name = named(name, "name")?;
        let password = password.map(checked).transpose()?.unwrap_or_default();
        let mut request =
            pb::AuthUserAddRequest { name, password: password.to_string(), options, ..Default::default() };
        let answer = self.ask_secret::<pb::AuthUserAddResponse>(USER_ADD, &request);
        request.password.zeroize();
        answer.map(drop)
    }

    pub fn user_change_password(&self, name: &str, password: Zeroizing<String>) -> Result<()> {
        let (name, password) = (named(name, "name")?, checked(password)?);
        let mut request =
            pb::AuthUserChangePasswordRequest { name, password: password.to_string(), ..Default::default() };
        let answer = self.ask_secret::<pb::AuthUserChangePasswordResponse>(USER_CHANGE_PASSWORD, &request);
        request.password.zeroize();
        answer.map(drop)
    }

    pub fn user_delete(&self, name: &str) -> Result<()> {
        let request = pb::AuthUserDeleteRequest { name: named(name, "name")? };
        self.ask::<pb::AuthUserDeleteResponse>(USER_DELETE, &request).map(drop)
    }

    pub fn user_grant_role(&self, user: &str, role: &str) -> Result<()> {
        let request = pb::AuthUserGrantRoleRequest { user: named(user, "name")?, role: named(role, "role")? };
        self.ask::<pb::AuthUserGrantRoleResponse>(USER_GRANT_ROLE, &request).map(drop)
    }

    pub fn user_revoke_role(&self, user: &str, role: &str) -> Result<()> {
        let request = pb::AuthUserRevokeRoleRequest { name: named(user, "name")?, role: named(role, "role")? };
        self.ask::<pb::AuthUserRevokeRoleResponse>(USER_REVOKE_ROLE, &request).map(drop)
    }

    /// The roles of a user.
    pub fn user_get(&self, name: &str) -> Result<Headed<Vec<String>>> {
        let request = pb::AuthUserGetRequest { name: named(name, "name")? };
        self.ask::<pb::AuthUserGetResponse>(USER_GET, &request).map(|answer| answer.headed(|answer| answer.roles))
    }

    pub fn user_list(&self) -> Result<Headed<Vec<String>>> {
        self.ask::<pb::AuthUserListResponse>(USER_LIST, &pb::AuthUserListRequest {})
            .map(|answer| answer.headed(|answer| answer.users))
    }

    pub fn role_add(&self, name: &str) -> Result<()> {
        let request = pb::AuthRoleAddRequest { name: named(name, "role")? };
        self.ask::<pb::AuthRoleAddResponse>(ROLE_ADD, &request).map(drop)
    }

    pub fn role_delete(&self, name: &str) -> Result<()> {
        let request = pb::AuthRoleDeleteRequest { role: named(name, "role")? };
        self.ask::<pb::AuthRoleDeleteResponse>(ROLE_DELETE, &request).map(drop)
    }

    /// A request without a permission in it would bring a 3.4 server down at each start (§10.9); here it always has one.
    pub fn role_grant(&self, name: &str, kind: i32, range: &KeyRange) -> Result<()> {
        let kind = authpb::permission::Type::try_from(kind)
            .map_err(|_| Error::argument("permission", format!("{kind} is no kind of permission")))?;
        let (key, range_end) = range.finish()?;
        let perm = Some(Permission { perm_type: kind.into(), key, range_end });
        let request = pb::AuthRoleGrantPermissionRequest { name: named(name, "role")?, perm };
        self.ask::<pb::AuthRoleGrantPermissionResponse>(ROLE_GRANT, &request).map(drop)
    }

    /// Takes back what was granted for exactly this range.
    pub fn role_revoke(&self, name: &str, range: &KeyRange) -> Result<()> {
        let (key, range_end) = range.finish()?;
        let request = pb::AuthRoleRevokePermissionRequest { role: named(name, "role")?, key, range_end };
        self.ask::<pb::AuthRoleRevokePermissionResponse>(ROLE_REVOKE, &request).map(drop)
    }

    pub fn role_get(&self, name: &str) -> Result<Headed<Vec<Permission>>> {
        let request = pb::AuthRoleGetRequest { role: named(name, "role")? };
        self.ask::<pb::AuthRoleGetResponse>(ROLE_GET, &request).map(|answer| answer.headed(|answer| answer.perm))
    }

    pub fn role_list(&self) -> Result<Headed<Vec<String>>> {
        self.ask::<pb::AuthRoleListResponse>(ROLE_LIST, &pb::AuthRoleListRequest {})
            .map(|answer| answer.headed(|answer| answer.roles))
    }
}

fn checked(password: Zeroizing<String>) -> Result<Zeroizing<String>> {
    match password.is_empty() {
        true => Err(Error::argument("password", "must not be empty")),
        false => Ok(password),
    }
}
