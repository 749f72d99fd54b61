//! Calls that are no operations on keys: to any member, or to the one that is named.

use super::client::{Client, Core};
use super::endpoint::Endpoint;
use super::error::Result;
use super::proto::etcdserverpb as pb;
use super::response::Headed;
use super::transport::{Limits, Method, Reply};
use std::time::Duration;

/// Answers start with a header, but for a few that some servers send without.
pub trait Answer: prost::Message + Default {
    fn header(&self) -> Option<pb::ResponseHeader>;

    /// What is wanted of it, with its header.
    fn headed<T>(self, take: impl FnOnce(Self) -> T) -> Headed<T> {
        Headed { header: self.header().unwrap_or_default(), body: take(self) }
    }
}

macro_rules! answers {
    ($($name:ident),* $(,)?) => {
        $(impl Answer for pb::$name {
            fn header(&self) -> Option<pb::ResponseHeader> {
                self.header
            }
        })*
    };
}

answers! {
    MemberAddResponse, MemberListResponse, MemberPromoteResponse, MemberRemoveResponse, MemberUpdateResponse,
    AlarmResponse, CompactionResponse, DefragmentResponse, DowngradeResponse, HashKvResponse, HashResponse,
    MoveLeaderResponse, StatusResponse,
    AuthDisableResponse, AuthEnableResponse, AuthStatusResponse,
    AuthUserAddResponse, AuthUserChangePasswordResponse, AuthUserDeleteResponse, AuthUserGetResponse,
    AuthUserGrantRoleResponse, AuthUserListResponse, AuthUserRevokeRoleResponse,
    AuthRoleAddResponse, AuthRoleDeleteResponse, AuthRoleGetResponse, AuthRoleGrantPermissionResponse,
    AuthRoleListResponse, AuthRoleRevokePermissionResponse,
    LeaseGrantResponse, LeaseLeasesResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
}

impl Client {
    pub(super) fn ask<Res: Answer>(&self, method: Method, request: &impl prost::Message) -> Result<Res> {
        self.ask_within(None, method, request, None)
    }

    /// The same of one endpoint, or with a limit of its own.
    pub(super) fn ask_within<Res: Answer>(
        &self,
        at: Option<&Endpoint>,
        method: Method,
        request: &impl prost::Message,
        timeout: Option<Duration>,
    ) -> Result<Res> {
        self.run(self.limits(timeout), async |limits| self.core.ask(at, method, request, limits).await)
    }

    /// A call with a password in it. The caller wipes the request.
    pub(super) fn ask_secret<Res: Answer>(&self, method: Method, request: &impl prost::Message) -> Result<Res> {
        self.run(self.limits(None), async |limits| {
            let epoch = self.core.epoch();
            let reply = self.core.transport.unary_secret::<_, Res>(method, request, limits).await?;
            self.core.check(reply.message.header().unwrap_or_default(), epoch, method, &reply.endpoint)?;
            Ok(reply.message)
        })
    }
}

impl Core {
    pub async fn ask<Res: Answer>(
        &self,
        at: Option<&Endpoint>,
        method: Method,
        request: &impl prost::Message,
        limits: &Limits,
    ) -> Result<Res> {
        Ok(self.reply(at, method, request, limits).await?.message)
    }

    /// The same with who answered.
    pub async fn reply<Res: Answer>(
        &self,
        at: Option<&Endpoint>,
        method: Method,
        request: &impl prost::Message,
        limits: &Limits,
    ) -> Result<Reply<Res>> {
        let epoch = self.epoch();
        let (reply, is_ours) = match at {
            None => (self.transport.unary::<_, Res>(method, request, limits).await?, true),
            Some(endpoint) => {
                let at = self.transport.at(endpoint)?;
                (at.unary::<_, Res>(method, request, limits).await?, !at.is_foreign)
            }
        };
        if is_ours {
            self.check(reply.message.header().unwrap_or_default(), epoch, method, &reply.endpoint)?;
        }
        Ok(reply)
    }
}
