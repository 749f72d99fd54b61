//! Alarms: what stops a cluster from taking writes until it is disarmed.

use super::super::ask::Answer;
use super::super::client::{Client, Core};
use super::super::error::{Error, Result};
use super::super::members::MEMBER_LIST;
use super::super::proto::etcdserverpb as pb;
use super::super::response::Headed;
use super::super::transport::{Limits, Method, Repeat};
use pb::alarm_request::AlarmAction;
use pb::AlarmType;

/// Told twice they do the same, but another client may have done the opposite in between.
const ALARM: Method = Method { path: "/etcdserverpb.Maintenance/Alarm", repeat: Repeat::Guarded };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    pub member: u64,
    pub kind: i32,
}

/// A kind of alarm; `None` for all of them.
fn kind(kind: i32) -> Result<Option<AlarmType>> {
    match AlarmType::try_from(kind) {
        Ok(AlarmType::None) => Ok(None),
        Ok(kind) => Ok(Some(kind)),
        Err(_) => Err(Error::argument("alarm", format!("{kind} is no kind of alarm"))),
    }
}

fn matches(alarm: &Alarm, member: u64, kind: Option<AlarmType>) -> bool {
    (member == 0 || alarm.member == member) && kind.is_none_or(|kind| alarm.kind == kind as i32)
}

impl Client {
    /// The alarms there are, of a member (0: of all) and of a kind (0: of every).
    pub fn alarm_list(&self, member: u64, wanted: i32) -> Result<Headed<Vec<Alarm>>> {
        let kind = kind(wanted)?;
        self.run(self.limits(None), async |limits| self.core.alarms(member, kind, limits).await)
    }

    /// Raises one for a member, or for each.
    pub fn alarm_raise(&self, member: u64, wanted: i32) -> Result<Headed<Vec<Alarm>>> {
        let Some(kind) = kind(wanted)? else {
            return Err(Error::argument("alarm", "must not be ETCD3_ALARM_NONE"));
        };
        self.run(self.limits(None), async |limits| {
            let members = match member {
                0 => {
                    let request = pb::MemberListRequest { linearizable: true };
                    let list: pb::MemberListResponse = self.core.ask(None, MEMBER_LIST, &request, limits).await?;
                    list.members.iter().map(|member| member.id).collect()
                }
                _ => vec![member],
            };
            for member in members {
                self.core.alarm(AlarmAction::Activate, member, kind, limits).await?;
            }
            self.core.alarms(0, None, limits).await
        })
    }

    /// Disarms those that fit; gives those that were.
    pub fn alarm_disarm(&self, member: u64, wanted: i32) -> Result<Headed<Vec<Alarm>>> {
        let kind = kind(wanted)?;
        self.run(self.limits(None), async |limits| {
            let mut alarms = self.core.alarms(member, kind, limits).await?;
            for alarm in &alarms.body {
                let kind = AlarmType::try_from(alarm.kind).unwrap_or_default();
                alarms.header = self.core.alarm(AlarmAction::Deactivate, alarm.member, kind, limits).await?;
            }
            Ok(alarms)
        })
    }
}

impl Core {
    async fn alarms(&self, member: u64, kind: Option<AlarmType>, limits: &Limits) -> Result<Headed<Vec<Alarm>>> {
        let method = Method { repeat: Repeat::Freely, ..ALARM };
        let list: pb::AlarmResponse = self.ask(None, method, &request(AlarmAction::Get, 0, None), limits).await?;
        let alarm = |alarm: &pb::AlarmMember| Alarm { member: alarm.member_id, kind: alarm.alarm };
        let fits = |alarm: &Alarm| matches(alarm, member, kind);
        Ok(list.headed(|list| list.alarms.iter().map(alarm).filter(fits).collect()))
    }

    async fn alarm(
        &self,
        action: AlarmAction,
        member: u64,
        kind: AlarmType,
        limits: &Limits,
    ) -> Result<pb::ResponseHeader> {
        let answer: pb::AlarmResponse = self.ask(None, ALARM, &request(action, member, Some(kind)), limits).await?;
        Ok(answer.header.unwrap_or_default())
    }
}

fn request(action: AlarmAction, member_id: u64, kind: Option<AlarmType>) -> pb::AlarmRequest {
    pb::AlarmRequest { action: action.into(), member_id, alarm: kind.unwrap_or(AlarmType::None).into() }
}
