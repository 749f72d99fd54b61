//! Times as Go writes them: "5s", "1m30s", "1.5h", "250ms".

use std::time::Duration;

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0u64;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(number);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == &after[..end])?;
        sum = sum.checked_add(in_nanos(digits, unit)?)?;
        rest = &after[end..];
    }
    Some(Duration::from_nanos(sum))
}

fn in_nanos(digits: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    // More digits than these are below a nanosecond of any unit.
    let fraction = &fraction[..fraction.len().min(15)];
    let tail = match fraction {
        "" => 0,
        _ => u128::from(unit) * u128::from(fraction.parse::<u64>().ok()?) / 10u128.pow(fraction.len() as u32),
    };
    whole.checked_mul(unit)?.checked_add(u64::try_from(tail).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_them() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("250ms", 250_000_000),
            ("3us", 3_000),
            ("3\u{b5}s", 3_000),
            ("7ns", 7),
            ("1h2m3s4ms", 3_723_004_000_000),
            ("0.33333333333333333333h", 1_199_999_999_999),
        ] {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for text in
            ["", "+", "5", "s", ".s", "-5s", "5 s", "5d", "1..5s", "1.5.5s", "5s3", "99999999999999999999s", "6000000h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
