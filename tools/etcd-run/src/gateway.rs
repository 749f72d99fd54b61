//! What a server says over HTTP.

use crate::{fail, Error, Result};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// For what a starting server is asked, and for what a test asks.
const PROBE: Duration = Duration::from_secs(1);
const CALL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Gateway {
    /// The name of the member that has to answer.
    name: String,
    endpoint: String,
    http: ureq::Agent,
    version: OnceLock<String>,
    member_id: OnceLock<u64>,
    user: Mutex<Option<User>>,
}

#[derive(Debug)]
struct User {
    name: String,
    password: String,
    token: Option<String>,
}

impl Gateway {
    pub fn new(name: &str, endpoint: &str) -> Gateway {
        let http = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // None of these survives a restart of the server.
            .max_idle_connections(0)
            .proxy(None)
            .build()
            .new_agent();
        Gateway {
            name: name.into(),
            endpoint: endpoint.into(),
            http,
            version: OnceLock::new(),
            member_id: OnceLock::new(),
            user: Mutex::default(),
        }
    }

    /// Empty until the first successful check.
    pub fn version(&self) -> &str {
        self.version.get().map_or("", String::as_str)
    }

    /// 0 until the first successful check.
    pub fn member_id(&self) -> u64 {
        self.member_id.get().copied().unwrap_or(0)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.post_within(path, body, CALL)
    }

    /// Asks as this user from now on.
    pub fn log_in(&self, user: Option<(&str, &str)>) {
        let user = user.map(|(name, password)| User { name: name.into(), password: password.into(), token: None });
        *self.user.lock().unwrap() = user;
    }

    /// One JSON value for each line of the answer.
    pub fn stream(&self, path: &str, body: &Value, limit: Duration) -> Result<impl Iterator<Item = Result<Value>>> {
        let url = format!("http://{}{path}", self.endpoint);
        let mut request = self.http.post(url).config().timeout_global(Some(limit)).build();
        if let Some(token) = self.token(limit, true)? {
            request = request.header("Authorization", token);
        }
        let trouble = |error: &dyn std::fmt::Display| Error(format!("{} {path}: {error}", self.endpoint));
        let answer = request.send_json(body).map_err(|error| trouble(&error))?;
        if answer.status() != 200 {
            return Err(trouble(&answer.status()));
        }
        let path = path.to_owned();
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        Ok(lines.map(move |line| {
            let read = line.and_then(|line| Ok(serde_json::from_str(&line)?));
            read.map_err(|error| Error(format!("{path}: {error}")))
        }))
    }

    pub fn post_within(&self, path: &str, body: &Value, limit: Duration) -> Result<Value> {
        let token = self.token(limit, false)?;
        let (mut status, mut answer) = self.ask(path, Some(body), limit, token.as_deref())?;
        // Tokens end, and with them what they were given for.
        if status != 200 && token.is_some() && answer.contains("auth") {
            let token = self.token(limit, true)?;
            (status, answer) = self.ask(path, Some(body), limit, token.as_deref())?;
        }
        if status != 200 {
            return fail(format!("{path} answers {status}: {answer}"));
        }
        serde_json::from_str(&answer).map_err(|error| Error(format!("{path} answers no JSON ({error}): {answer}")))
    }

    fn token(&self, limit: Duration, fresh: bool) -> Result<Option<String>> {
        let mut place = self.user.lock().unwrap();
        let Some(user) = place.as_mut() else { return Ok(None) };
        if fresh || user.token.is_none() {
            let body = json!({"name": user.name, "password": user.password});
            let (_, answer) = self.ask("/v3/auth/authenticate", Some(&body), limit, None)?;
            let parsed: Value = serde_json::from_str(&answer).unwrap_or_default();
            let Some(token) = parsed["token"].as_str() else { return fail(format!("no token: {answer}")) };
            user.token = Some(token.into());
        }
        Ok(user.token.clone())
    }

    /// Whether somebody answers, and is the member that has to.
    pub fn check(&self) -> Result<()> {
        let (status, answer) = self.ask("/v3/cluster/member/list", Some(&json!({})), PROBE, None)?;
        if status != 200 {
            // With authentication on, this takes a user; the metrics take none.
            return self.check_metrics().map_err(|_| Error(answer));
        }
        let list: Value = serde_json::from_str(&answer).map_err(|_| Error(answer.clone()))?;
        let id = &list["header"]["member_id"];
        let members = list["members"].as_array().map_or(&[][..], Vec::as_slice);
        let itself = |member: &&Value| member["ID"] == *id && member["name"] == self.name[..];
        let Some(id) = (members.iter().find(itself)).and_then(|member| member["ID"].as_str()?.parse().ok()) else {
            return fail(format!("not {}, or not a member yet: {answer}", self.name));
        };
        self.member_id.get_or_init(|| id);
        if self.version.get().is_none() {
            let (_, answer) = self.ask("/version", None, PROBE, None)?;
            let named: Value = serde_json::from_str(&answer).unwrap_or_default();
            let Some(version) = named["etcdserver"].as_str() else {
                return fail(format!("no version in {answer}"));
            };
            self.version.get_or_init(|| version.to_owned());
        }
        Ok(())
    }

    /// The sum of a metric over all its labels.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let (_, metrics) = self.ask("/metrics", None, CALL, None)?;
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok()).flatten()
        };
        let values: Vec<f64> = metrics.lines().filter_map(value).collect();
        match values.is_empty() {
            true => fail(format!("{} has no metric {name}", self.endpoint)),
            false => Ok(values.iter().sum()),
        }
    }

    fn check_metrics(&self) -> Result<()> {
        let (_, metrics) = self.ask("/metrics", None, PROBE, None)?;
        let wanted = format!("etcd_server_id{{server_id=\"{:x}\"}} 1", self.member_id());
        match metrics.contains(&wanted) {
            true => Ok(()),
            false => fail("another server"),
        }
    }

    fn ask(&self, path: &str, body: Option<&Value>, limit: Duration, token: Option<&str>) -> Result<(u16, String)> {
        let url = format!("http://{}{path}", self.endpoint);
        let limit = Some(limit);
        let asked = match body {
            Some(body) => {
                let mut request = self.http.post(url).config().timeout_global(limit).build();
                if let Some(token) = token {
                    request = request.header("Authorization", token);
                }
                request.send_json(body)
            }
            None => {
                let request = self.http.get(url).config().timeout_global(limit);
                request.build().call()
            }
        };
        let read = |mut answer: ureq::http::Response<ureq::Body>| {
            let text = answer.body_mut().read_to_string()?;
            Ok((answer.status().as_u16(), text))
        };
        asked.and_then(read).map_err(|error| Error(format!("{} {path}: {error}", self.endpoint)))
    }
}
