//! One setting's value, as what it is to be.

use super::duration;
use crate::core::tls::Pem;
use std::time::Duration;
use zeroize::Zeroizing;

const MOST_TIME: Duration = Duration::from_secs(1_000_000_000);

/// A value may be a secret.
pub enum Value {
    Scalar { text: Zeroizing<String>, is_plain: bool },
    List(Vec<Zeroizing<String>>),
}

type Set<T> = std::result::Result<T, String>;

impl Value {
    pub fn text(&self) -> Set<&Zeroizing<String>> {
        match self {
            Value::Scalar { text, .. } => Ok(text),
            Value::List(_) => Err("must be one value, not a list".into()),
        }
    }

    /// Go's empty text is that there is none.
    pub fn some(&self) -> Set<Option<Zeroizing<String>>> {
        self.text().map(|text| Some(text.clone()).filter(|text| !text.is_empty()))
    }

    pub fn file(&self) -> Set<Option<Pem>> {
        Ok(self.some()?.map(|path| Pem::File(path.as_str().into())))
    }

    /// A list, or a text with commas.
    pub fn list(self) -> Vec<Zeroizing<String>> {
        match self {
            Value::Scalar { text, .. } => text.split(',').map(|part| part.to_owned().into()).collect(),
            Value::List(list) => list,
        }
    }

    pub fn yes(&self) -> Set<bool> {
        match self.text()?.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            other => Err(format!("must be true or false, got {other:?}")),
        }
    }

    pub fn number(&self, most: u32) -> Set<u32> {
        let text = self.text()?;
        let number = text.parse().ok().filter(|number| *number <= most && !text.starts_with('+'));
        number.ok_or_else(|| format!("must be a number from 0 to {most}, got {:?}", text.as_str()))
    }

    /// A time; none for 0. A number without a unit is nanoseconds, as in files for Go.
    pub fn time(&self) -> Set<Option<Duration>> {
        let text = self.text()?.as_str();
        let nanos = match self {
            Value::Scalar { is_plain: true, .. } => text.parse().ok().map(Duration::from_nanos),
            _ => None,
        };
        match nanos.or_else(|| duration::parse(text)) {
            Some(Duration::ZERO) => Ok(None),
            Some(time) if (Duration::from_millis(1)..=MOST_TIME).contains(&time) => Ok(Some(time)),
            _ => Err(format!(
                "must be a time from \"1ms\" on, such as \"1m30s\"; a bare number is nanoseconds; got {text:?}"
            )),
        }
    }
}
