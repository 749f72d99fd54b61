//! Who the client is to the server: a password that buys tokens, or a token that is given (§4).

use super::channel::Purpose;
use super::{lock, Limits, Metadata, Method, Repeat, Stop, Transport};
use crate::core::code;
use crate::core::error::{Error, Result};
use crate::core::proto::etcdserverpb as pb;
use http::header::HeaderValue;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep_until, Instant};
use zeroize::{Zeroize, Zeroizing};

const AUTHENTICATE: Method = Method { path: "/etcdserverpb.Auth/Authenticate", repeat: Repeat::Freely };
/// Authenticate costs the cluster a slow hash and a log entry.
const LEAST_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Clone, Default)]
pub enum Credentials {
    #[default]
    None,
    Password {
        user: String,
        password: Zeroizing<String>,
    },
    Token(Zeroizing<String>),
}

impl Credentials {
    pub fn password(user: &str, password: &str) -> Result<Self> {
        match user.is_empty() {
            true => Err(Error::argument("user", "must not be empty")),
            false => Ok(Credentials::Password { user: user.to_owned(), password: password.to_owned().into() }),
        }
    }

    pub fn token(token: &str) -> Result<Self> {
        match !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Credentials::Token(token.to_owned().into())),
            false => Err(Error::argument("token", "must be printable ASCII without a space, and not empty")),
        }
    }
}

pub struct Auth {
    state: Mutex<State>,
    /// Held by the one who asks for a new token.
    renewing: tokio::sync::Mutex<()>,
    /// How often other credentials were set, for those who keep streams.
    pub identity: watch::Sender<u64>,
}

struct State {
    credentials: Credentials,
    token: Option<HeaderValue>,
    /// Whether `token` stands for the credentials, also where it is none since the cluster has no authentication.
    valid: bool,
    generation: u64,
    /// How often other credentials were set.
    identity: u64,
    renewed: Option<Instant>,
    /// The last attempt's error, for those who waited while it was made.
    refused: Option<Error>,
}

/// A token as it was at some time.
#[derive(Clone)]
pub struct Token {
    pub value: Option<HeaderValue>,
    generation: u64,
    pub identity: u64,
}

impl Auth {
    pub fn new(credentials: Credentials) -> Self {
        let auth = Auth {
            state: Mutex::new(State {
                credentials: Credentials::None,
                token: None,
                valid: true,
                generation: 0,
                identity: 0,
                renewed: None,
                refused: None,
            }),
            renewing: tokio::sync::Mutex::new(()),
            identity: watch::Sender::new(0),
        };
        auth.set(credentials);
        auth
    }

    pub fn set(&self, credentials: Credentials) {
        let mut state = lock(&self.state);
        state.token = match &credentials {
            Credentials::Token(token) => sensitive(token),
            _ => None,
        };
        state.valid = !matches!(credentials, Credentials::Password { .. });
        state.credentials = credentials;
        state.generation += 1;
        state.identity += 1;
        state.refused = None;
        state.renewed = None;
        self.identity.send_replace(state.identity);
    }

    /// Whether the token belongs to credentials of before.
    pub fn is_another(&self, token: &Token) -> bool {
        lock(&self.state).identity != token.identity
    }

    /// Whether the server refused the token in a way that a new one mends.
    pub fn may_renew(&self, error: &Error, used: &Token) -> bool {
        if !error.refuses_token() {
            return false;
        }
        let state = lock(&self.state);
        match state.credentials {
            _ if state.generation != used.generation => true,
            Credentials::Password { .. } => true,
            // The name in a certificate is checked anew each time.
            Credentials::None => error.code == code::ERR_AUTH_OLD_REVISION,
            Credentials::Token(_) => false,
        }
    }

    fn current(&self) -> std::result::Result<Token, u64> {
        let state = lock(&self.state);
        match state.valid {
            true => Ok(Token { value: state.token.clone(), generation: state.generation, identity: state.identity }),
            false => Err(state.generation),
        }
    }
}

fn sensitive(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(token).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Transport {
    /// The token to send, got first if need be.
    pub async fn token(&self, limits: &Limits) -> Result<Token> {
        loop {
            match self.auth.current() {
                Ok(token) => return Ok(token),
                Err(generation) => self.renew_generation(generation, limits).await?,
            }
        }
    }

    /// Has a token replaced that the server refused.
    pub async fn renew(&self, refused: &Token, limits: &Limits) -> Result<()> {
        self.renew_generation(refused.generation, limits).await
    }

    /// Of all who find the same token refused, one asks for a new one (§4.6).
    async fn renew_generation(&self, generation: u64, limits: &Limits) -> Result<()> {
        let asked = Instant::now();
        let turn = limits.within(self.auth.renewing.lock()).await;
        let _turn = turn.map_err(|stop| self.no_token(stop))?;
        let (user, password, not_before) = {
            let state = lock(&self.auth.state);
            if state.generation != generation {
                return Ok(());
            }
            if let Some(error) = state.refused.as_ref().filter(|_| state.renewed.is_some_and(|at| at >= asked)) {
                return Err(error.clone());
            }
            match &state.credentials {
                Credentials::Password { user, password } => {
                    (user.clone(), password.clone(), state.renewed.map(|at| at + LEAST_INTERVAL))
                }
                _ => return Ok(()),
            }
        };
        if let Some(not_before) = not_before {
            limits.within(sleep_until(not_before)).await.map_err(|stop| self.no_token(stop))?;
        }
        self.base.counters.token_refreshes.add(1);
        self.base.log.debug(|| "asking for a new token".into());
        let answer = self.authenticate(&user, &password, limits).await;
        let mut state = lock(&self.auth.state);
        state.renewed = Some(Instant::now());
        if state.generation != generation {
            return Ok(());
        }
        match answer {
            Ok(token) => {
                state.token = token;
                state.valid = true;
                state.generation += 1;
                state.refused = None;
                Ok(())
            }
            Err(error) => {
                // Of what went wrong with this one's limits or connections the others know nothing.
                state.refused = error.grpc_status.is_some().then(|| error.clone());
                drop(state);
                if error.grpc_status.is_some() {
                    self.base.log.error(|| format!("no token was given: {error}"));
                }
                Err(error)
            }
        }
    }

    /// What to say where the limits end the wait for a token that somebody else asks for.
    fn no_token(&self, stop: Stop) -> Error {
        let members = self.members();
        match (stop, members.iter().find(|member| member.unary.is_up())) {
            (Stop::Deadline, Some(member)) => Error {
                endpoint: Some(member.endpoint.to_string()),
                ..Error::new(code::ERR_TIMEOUT, format!("{}: no token came within the time limit", member.endpoint))
            },
            _ => self.not_sent(stop, Purpose::Unary),
        }
    }

    async fn authenticate(&self, user: &str, password: &str, limits: &Limits) -> Result<Option<HeaderValue>> {
        let mut request = pb::AuthenticateRequest { name: user.to_owned(), password: password.to_owned() };
        let frame = super::connection::frame(&request);
        request.password.zeroize();
        let limits = Limits { sent: None, require_leader: false, metadata: Metadata::default(), ..limits.clone() };
        let answer = self.send(AUTHENTICATE, &frame, None, &limits).await;
        super::connection::wipe(frame);
        match answer {
            Ok(answer) => {
                let answer: pb::AuthenticateResponse =
                    super::call::decode(answer.bytes, AUTHENTICATE, &answer.endpoint)?;
                Ok(sensitive(&answer.token))
            }
            // Then it needs none (§4.2).
            Err(error) if error.code == code::ERR_AUTH_NOT_ENABLED => Ok(None),
            Err(error) => Err(error),
        }
    }
}
