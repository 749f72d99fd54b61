//! One renewal on a stream of its own, tried on one member after another, and on the next one too where there is no
//! answer.

use super::super::client::Core;
use super::super::code;
use super::super::error::{Error, Result};
use super::super::event::Renewal;
use super::super::transport::{Limits, StreamService};
use super::link::Link;
use super::Moment;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep_until, Instant};

const PAUSE: Duration = Duration::from_millis(100);
const MOST_RENEWALS: u32 = 2;
/// How many streams wait for an answer at a time.
const MOST_STREAMS: usize = 3;

/// What a renewal brought: the time to live in seconds, 0 for an unknown lease, and when the request was sent.
pub type Renewed = (Renewal, Moment);

pub async fn renew(core: &Arc<Core>, id: i64, limits: &Limits) -> Result<Renewed> {
    let mut last = None;
    match limits.bound(ask_around(core, id, &mut last)).await {
        Err(error) => Err(match last {
            Some(last) if error.code == code::ERR_TIMEOUT => {
                let message = format!("{}; before that: {}", error.message, last.message);
                Error { message, endpoint: last.endpoint, ..error }
            }
            _ => error,
        }),
        renewed => renewed,
    }
}

async fn ask_around(core: &Arc<Core>, id: i64, last: &mut Option<Error>) -> Result<Renewed> {
    let hedge = core.transport.base().options.hedge_after;
    let (mut renew, mut renewals, mut attempt) = (None, 0, 0);
    let mut asked = FuturesUnordered::new();
    let mut silent: Vec<(u32, StreamService)> = Vec::new();
    let mut next_start = Some(Instant::now());
    loop {
        let start = async {
            match next_start {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some((attempt, answer)) = asked.next(), if !asked.is_empty() => {
                let error: Error = match answer {
                    Ok(renewed) => return Ok(renewed),
                    Err(error) => error,
                };
                let Some(place) = silent.iter().position(|(number, _)| *number == attempt) else { continue };
                let (_, service) = silent.swap_remove(place);
                if renewals < MOST_RENEWALS && service.may_renew(&error) {
                    renewals += 1;
                    renew = Some(service);
                    next_start = Some(Instant::now());
                } else if is_final(&error) {
                    return Err(error);
                } else {
                    service.broke(error.code);
                    *last = Some(error);
                    next_start = Some(Instant::now() + PAUSE);
                }
            }
            _ = start => {
                attempt += 1;
                core.transport.base().counters.hedges.add((!silent.is_empty()).into());
                let (service, again) = match (renew.take(), silent.last()) {
                    (Some(service), _) => (service, true),
                    (None, Some((_, silent))) => (silent.beside(), false),
                    (None, None) => (core.transport.streams(), false),
                };
                silent.push((attempt, service.clone()));
                asked.push(async move { (attempt, ask(core, service, id, again).await) });
                next_start = hedge.filter(|_| asked.len() < MOST_STREAMS).map(|hedge| Instant::now() + hedge);
            }
        }
    }
}

/// What another member would say too.
pub fn is_final(error: &Error) -> bool {
    let code_is_final = matches!(
        error.code,
        code::ERR_PERMISSION_DENIED
            | code::ERR_AUTH_FAILED
            | code::ERR_UNIMPLEMENTED
            | code::ERR_CLUSTER_MISMATCH
            | code::ERR_TLS
            | code::ERR_CLOSED
    );
    code_is_final || error.refuses_token()
}

async fn ask(core: &Arc<Core>, service: StreamService, id: i64, renew: bool) -> Result<Renewed> {
    let (epoch, sent) = (core.epoch(), (core.clock)());
    let mut link = Link::open(service.clone(), renew);
    link.send(id);
    loop {
        let response = link.next().await?;
        let endpoint = service.endpoint();
        core.check(response.header.unwrap_or_default(), epoch, super::KEEP_ALIVE, &endpoint)?;
        if response.id == id {
            let (ttl, header) = (response.ttl.max(0), response.header.unwrap_or_default());
            return Ok((Renewal { ttl, header }, sent));
        }
    }
}
