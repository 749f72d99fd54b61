//! Locks and elections: whether there was one holder at a time, in the order in which they came.

use super::{Rule, Violation};
use crate::contender::{guarded, Word, TTL};
use crate::history::Event;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// So much longer than its limit may a wait take.
const LATE: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_secs(5);

/// What was done to whom.
#[derive(Debug, Default)]
pub struct Fates {
    /// A dead process holds nothing.
    pub killed: HashMap<usize, Duration>,
    /// One that stands still does not know what it has lost.
    pub paused: HashMap<usize, Duration>,
    /// Those whose session's lease was taken away.
    pub revoked: HashMap<usize, Duration>,
    /// Times at which hand-overs take as long as the fault does.
    pub troubled: Vec<(Duration, Duration)>,
}

/// From when to when who held it, as far as that one knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub who: usize,
    pub token: i64,
    pub from: Duration,
    pub to: Duration,
    /// It was released, and not lost with its holder.
    pub released: bool,
}

pub fn holds(words: &[Word], fates: &Fates) -> Vec<Hold> {
    let mut holds = Vec::new();
    for got in words.iter().filter(|word| word.what == "got") {
        let theirs = |word: &&Word| word.who == got.who && word.number == got.number;
        let ends = |word: &&Word| matches!(&*word.what, "leaving" | "lost");
        let end = words.iter().filter(theirs).find(ends);
        let all = [&fates.killed, &fates.paused, &fates.revoked];
        let stopped = all.into_iter().filter_map(|fates| fates.get(&got.who));
        let stopped = stopped.filter(|at| **at >= got.at).min().copied();
        let said = end.map(|word| word.at);
        holds.push(Hold {
            who: got.who,
            token: got.number,
            from: got.at,
            to: [said, stopped].into_iter().flatten().min().unwrap_or(Duration::MAX),
            released: end.is_some_and(|word| word.what == "leaving") && stopped.is_none_or(|at| Some(at) > said),
        });
    }
    holds.sort_by_key(|hold| hold.from);
    holds
}

/// How long it took from a release to the next holder, where somebody waited and nothing was wrong.
pub fn hand_overs(words: &[Word], fates: &Fates) -> Vec<Duration> {
    let calm = |from: Duration, to: Duration| !fates.troubled.iter().any(|(begin, end)| from < *end && to > *begin);
    let mut times = Vec::new();
    for pair in holds(words, fates).windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let waited =
            words.iter().rev().find(|word| word.who == after.who && word.what == "wait" && word.at < after.from);
        let in_line = waited.is_some_and(|word| word.at + Duration::from_millis(50) < before.to);
        if before.released && in_line && calm(before.to, after.from) {
            times.push(after.from.saturating_sub(before.to));
        }
    }
    times
}

/// Checks all that was said of a lock, or of an election, of this name against H.
pub fn check_locks(words: &[Word], fates: &Fates, events: &[Event], name: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut fail = |text: String| violations.push(Violation { rule: Rule::Lock, text });
    let holds = holds(words, fates);
    let mut latest: Option<&Hold> = None;
    for hold in &holds {
        if let Some(before) = latest {
            // Who stands still when it gets it says so late.
            if hold.token <= before.token && !fates.paused.contains_key(&hold.who) {
                fail(format!("the tokens do not increase: {before:?}, then {hold:?}"));
            }
            if hold.from < before.to {
                fail(format!("two hold it: {before:?} and {hold:?}"));
            }
        }
        if latest.is_none_or(|before| hold.to > before.to) {
            latest = Some(hold);
        }
    }
    for word in words {
        let waited = Duration::from_millis(word.more as u64);
        if word.what == "not" && waited > LIMIT + LATE && !fates.paused.contains_key(&word.who) {
            fail(format!("a wait ended {:?} late: {word:?}", waited - LIMIT));
        }
        let excused = fates.paused.contains_key(&word.who) || fates.revoked.contains_key(&word.who);
        let calm = !fates.troubled.iter().any(|(begin, end)| word.at >= *begin && word.at <= *end + TTL);
        if word.what == "refused" && !excused && calm {
            fail(format!("a holder could not write: {word:?}"));
        }
    }
    for (who, revoked) in &fates.revoked {
        let theirs = words.iter().filter(|word| word.who == *who && word.at > *revoked);
        let old = theirs.take_while(|word| word.what != "session");
        for word in old.filter(|word| word.what == "got" && word.at > *revoked + LATE) {
            fail(format!("a phantom, whose session was gone since {revoked:.3?}: {word:?}"));
        }
    }
    guards(events, name, &mut fail);
    violations
}

/// What was written under the lock was written by its holder: the oldest in the line.
fn guards(events: &[Event], name: &str, fail: &mut impl FnMut(String)) {
    let (line, key) = (format!("{name}/"), guarded(name));
    let mut waiting: BTreeMap<&str, i64> = BTreeMap::new();
    let mut last = 0;
    for event in events {
        let mut token = None;
        if event.key == key {
            let value = event.held.as_ref().map_or("", |held| &held.value);
            token = value.split(':').nth(1).and_then(|token| token.parse().ok());
        } else if event.key.starts_with(&line) {
            match &event.held {
                None => drop(waiting.remove(&*event.key)),
                Some(held) => {
                    waiting.insert(&event.key, held.create_revision);
                    // Of an election: what the leader proclaims.
                    let proclaimed = held.version > 1 && held.value.contains(':');
                    token = proclaimed.then_some(held.create_revision);
                }
            }
        }
        let Some(token) = token else { continue };
        let oldest = waiting.values().min().copied();
        if oldest != Some(token) {
            fail(format!("{token} wrote at {}, when {oldest:?} was first in line", event.revision));
        }
        if token < last {
            fail(format!("{token} wrote at {}, after {last}", event.revision));
        }
        last = token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Held;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn word(ms: u64, who: usize, what: &str, number: i64, more: i64) -> Word {
        Word { at: at(ms), who, what: what.into(), number, more }
    }

    /// Two holders, one after the other.
    fn sound() -> Vec<Word> {
        vec![
            word(0, 1, "wait", 0, 0),
            word(1, 2, "wait", 0, 0),
            word(10, 1, "got", 5, 0),
            word(100, 1, "leaving", 5, 0),
            word(110, 2, "got", 6, 0),
            word(111, 1, "left", 5, 0),
            word(200, 2, "leaving", 6, 0),
        ]
    }

    fn wrong(words: &[Word], fates: &Fates) -> usize {
        check_locks(words, fates, &[], "l").len()
    }

    #[test]
    fn one_holds_it_at_a_time() {
        let none = Fates::default();
        assert_eq!(wrong(&sound(), &none), 0);
        assert_eq!(hand_overs(&sound(), &none), [at(10)]);
        let mut both = sound();
        both[4].at = at(90);
        assert_ne!(wrong(&both, &none), 0);
        // Not if the first was dead, or stood still.
        assert_eq!(wrong(&both, &Fates { killed: HashMap::from([(1, at(50))]), ..Fates::default() }), 0);
        assert_eq!(wrong(&both, &Fates { paused: HashMap::from([(1, at(50))]), ..Fates::default() }), 0);
        assert_ne!(wrong(&both, &Fates { killed: HashMap::from([(1, at(95))]), ..Fates::default() }), 0);
        // One that never says that it left, and one that has lost it.
        let mut silent = sound();
        silent.remove(3);
        assert_ne!(wrong(&silent, &none), 0);
        silent.push(word(105, 1, "lost", 5, 0));
        assert_eq!(wrong(&silent, &none), 0);
    }

    #[test]
    fn tokens_increase_and_holders_write_and_nobody_waits_too_long() {
        let none = Fates::default();
        let mut back = sound();
        back[4].number = 4;
        back[6].number = 4;
        assert_ne!(wrong(&back, &none), 0);
        let mut refused = sound();
        refused.push(word(120, 2, "refused", 6, 21));
        assert_ne!(wrong(&refused, &none), 0);
        assert_eq!(wrong(&refused, &Fates { revoked: HashMap::from([(2, at(115))]), ..Fates::default() }), 0);
        let mut phantom = sound();
        phantom.push(word(400, 1, "got", 7, 0));
        phantom.push(word(410, 1, "leaving", 7, 0));
        assert_eq!(wrong(&phantom, &none), 0);
        let revoked = Fates { revoked: HashMap::from([(1, at(250))]), ..Fates::default() };
        assert_ne!(wrong(&phantom, &revoked), 0);
        phantom.insert(7, word(300, 1, "session", 9, 0));
        assert_eq!(wrong(&phantom, &revoked), 0);
        let mut late = sound();
        late.push(word(9000, 3, "not", 2, 5050));
        assert_eq!(wrong(&late, &none), 0);
        late.push(word(9000, 3, "not", 2, 5150));
        assert_ne!(wrong(&late, &none), 0);
    }

    #[test]
    fn only_the_first_in_line_writes() {
        let event = |revision, key: &str, created, version, value: &str| Event {
            revision,
            key: key.into(),
            held: Some(Held { value: value.into(), create_revision: created, mod_revision: revision, version }),
        };
        let gone = |revision, key: &str| Event { revision, key: key.into(), held: None };
        let mut h = vec![
            event(5, "l/a", 5, 1, ""),
            event(6, "l/b", 6, 1, ""),
            event(7, "l-guarded", 7, 1, "1:5:0"),
            gone(8, "l/a"),
            event(9, "l-guarded", 7, 2, "2:6:0"),
            event(10, "l/b", 6, 2, "2:6:0"),
        ];
        let wrong = |events: &[Event]| check_locks(&[], &Fates::default(), events, "l").len();
        assert_eq!(wrong(&h), 0);
        // One whose key is gone, and one who is not first.
        h.push(event(11, "l-guarded", 7, 3, "1:5:1"));
        assert_ne!(wrong(&h), 0);
        h.truncate(2);
        h.push(event(7, "l/b", 6, 2, "2:6:0"));
        assert_ne!(wrong(&h), 0);
    }
}
