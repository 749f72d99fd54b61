use super::super::super::code;
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const START: Moment = Duration::from_secs(1000);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

struct Bench {
    keeper: Keeper,
    holds: HashMap<i64, Arc<Hold>>,
}

impl Bench {
    /// Leases of 12 s granted at START, and an open stream.
    fn new(ids: &[i64]) -> Self {
        let mut bench = Bench { keeper: Keeper::default(), holds: HashMap::new() };
        for id in ids {
            bench.add(*id, 12 * SECOND);
        }
        bench.keeper.opened(Lane::Main, START);
        bench
    }

    fn add(&mut self, id: i64, ttl: Duration) {
        let hold = Hold::new(id, ttl, safe_until(START, ttl), None);
        self.holds.insert(id, hold.clone());
        self.keeper.add(hold, START, START);
    }

    fn lost(&self, id: i64) -> Option<LostReason> {
        self.holds[&id].lost()
    }

    /// Polls whenever the keeper wants it, up to a time, and gives what was to be done.
    fn run(&mut self, until: Moment) -> Vec<(Moment, Work)> {
        let mut done = Vec::new();
        while let Some(wake) = self.keeper.next_wake().filter(|wake| *wake <= until) {
            let work = self.keeper.poll(wake);
            if work != Work::default() {
                done.push((wake, work));
            }
            assert!(self.keeper.next_wake().is_none_or(|next| next > wake), "nothing comes of it, at {wake:?}");
        }
        done
    }

    /// All requests on a stream answered at a time.
    fn answer(&mut self, lane: Lane, ids: &[i64], ttl: i64, now: Moment) -> Vec<Next> {
        ids.iter().map(|id| self.keeper.receive(lane, *id, renewal(ttl), now)).collect()
    }
}

fn renewal(ttl: i64) -> Renewal {
    Renewal { ttl, header: Default::default() }
}

fn main_of(done: &[(Moment, Work)]) -> Vec<i64> {
    done.iter().flat_map(|(_, work)| work.main.clone()).collect()
}

#[test]
fn a_lease_is_renewed_at_a_third_of_its_time() {
    let mut bench = Bench::new(&[1]);
    let done = bench.run(START + 5 * SECOND);
    let [(at, work)] = &done[..] else { panic!("{done:?}") };
    assert!((ms(3800)..=ms(4200)).contains(&(*at - START)), "{at:?}");
    assert_eq!((&work.main[..], &work.hedge[..]), (&[1][..], &[][..]));
    let (sent, now) = (*at, *at + ms(30));
    assert_eq!(bench.keeper.receive(Lane::Main, 1, renewal(12), now), Next::Nothing);
    // From the sending, not from the answer.
    assert_eq!(bench.holds[&1].safe_until(), sent + 12 * SECOND - ms(240));
    let next = bench.keeper.next_wake().unwrap() - sent;
    assert!((ms(3800)..=ms(4200)).contains(&next), "{next:?}");
    assert_eq!(bench.keeper.renewals, 1);
}

#[test]
fn what_the_server_grants_now_counts() {
    let mut bench = Bench::new(&[1]);
    let sent = bench.run(START + 5 * SECOND)[0].0;
    bench.answer(Lane::Main, &[1], 90, sent + ms(1));
    assert_eq!(bench.holds[&1].ttl(), 90 * SECOND);
    assert!(bench.keeper.next_wake().unwrap() > sent + 28 * SECOND);
}

#[test]
fn many_leases_go_in_few_batches_and_none_is_forgotten() {
    let ids: Vec<i64> = (1..=10_000).collect();
    let mut bench = Bench::new(&ids);
    let done = bench.run(START + ms(4300));
    let mut sent = main_of(&done);
    sent.sort_unstable();
    assert_eq!(sent, ids);
    assert!(done.len() < 50, "{} batches", done.len());
}

#[test]
fn a_late_answer_makes_the_next_renewal_due_at_once() {
    let mut bench = Bench::new(&[1]);
    let sent = bench.run(START + 5 * SECOND)[0].0;
    let now = sent + 6 * SECOND;
    bench.answer(Lane::Main, &[1], 12, now);
    assert_eq!(bench.keeper.poll(now).main, [1]);
}

#[test]
fn nothing_answers_and_it_expires_once() {
    let mut bench = Bench::new(&[1]);
    let done = bench.run(START + 20 * SECOND);
    assert_eq!(main_of(&done), [1]);
    assert!(done.iter().filter(|(_, work)| work.fresh).count() > 5);
    assert_eq!(bench.lost(1), Some(LostReason::Expired));
    assert_eq!((bench.keeper.losses.value(), bench.keeper.next_wake()), (1, None));
    // An answer that comes now changes nothing.
    bench.answer(Lane::Main, &[1], 12, START + 13 * SECOND);
    assert_eq!(bench.lost(1), Some(LostReason::Expired));
    assert_eq!(bench.keeper.losses.value(), 1);
}

#[test]
fn it_expires_by_the_sending_less_the_margin() {
    let mut bench = Bench::new(&[1]);
    let end = START + ms(11_760);
    bench.run(end - ms(1));
    assert_eq!(bench.lost(1), None);
    bench.run(end);
    assert_eq!(bench.lost(1), Some(LostReason::Expired));
}

#[test]
fn an_answer_after_the_deadline_does_not_revive_it_though_nobody_looked() {
    let mut bench = Bench::new(&[1]);
    bench.run(START + 5 * SECOND);
    // As after a sleep of the machine.
    bench.answer(Lane::Main, &[1], 12, START + 30 * SECOND);
    assert_eq!(bench.lost(1), Some(LostReason::Expired));
    assert!(bench.keeper.poll(START + 30 * SECOND).main.is_empty());
}

#[test]
fn a_lease_the_server_does_not_know_is_gone_and_no_other() {
    let mut bench = Bench::new(&[1, 2]);
    bench.run(START + ms(4300));
    bench.answer(Lane::Main, &[1, 2], 0, START + ms(4300));
    assert_eq!((bench.lost(1), bench.lost(2)), (Some(LostReason::Gone), Some(LostReason::Gone)));
    let mut bench = Bench::new(&[1, 2]);
    bench.run(START + ms(4300));
    bench.answer(Lane::Main, &[1], -1, START + ms(4300));
    bench.answer(Lane::Main, &[2], 12, START + ms(4300));
    assert_eq!((bench.lost(1), bench.lost(2)), (Some(LostReason::Gone), None));
}

#[test]
fn an_answer_nobody_asked_for_says_nothing() {
    let mut bench = Bench::new(&[1]);
    let before = bench.holds[&1].safe_until();
    assert_eq!(bench.answer(Lane::Main, &[1, 5], 0, START + SECOND), [Next::Nothing, Next::Nothing]);
    assert_eq!((bench.lost(1), bench.holds[&1].safe_until()), (None, before));
    // One request, two answers: the second is not an answer.
    let sent = bench.run(START + 5 * SECOND)[0].0;
    bench.answer(Lane::Main, &[1], 12, sent + ms(1));
    bench.answer(Lane::Main, &[1], 0, sent + ms(2));
    assert_eq!(bench.lost(1), None);
}

#[test]
fn a_silent_stream_is_hedged_and_left_for_the_one_that_answers() {
    let mut bench = Bench::new(&[1, 2]);
    let done = bench.run(START + ms(6300));
    let first = done.iter().find(|(_, work)| !work.hedge.is_empty()).unwrap();
    // A sixth of 12 s after the sending.
    let sent = done[0].0;
    assert!((ms(1900)..=ms(2500)).contains(&(first.0 - sent)), "{:?}", first.0 - sent);
    assert!(first.1.fresh);
    let now = first.0 + ms(5);
    let id = first.1.hedge[0];
    assert_eq!(bench.answer(Lane::Hedge, &[id], 12, now), [Next::Promote]);
    bench.keeper.promote(now);
    assert_eq!((bench.lost(1), bench.lost(2)), (None, None));
    // The other one, if it was not hedged yet, goes out on the new stream at once.
    let other = if id == 1 { 2 } else { 1 };
    let work = bench.keeper.poll(now);
    let hedged = done.iter().any(|(_, work)| work.hedge.contains(&other));
    assert_eq!(work.main.contains(&other), !hedged);
    bench.answer(Lane::Main, &[other], 12, now + ms(5));
    assert!(bench.holds[&other].safe_until() > START + 15 * SECOND);
}

#[test]
fn short_leases_are_hedged_after_a_second_and_then_again_and_again() {
    let mut bench = Bench { keeper: Keeper::default(), holds: HashMap::new() };
    bench.add(1, 5 * SECOND);
    bench.keeper.opened(Lane::Main, START);
    let done = bench.run(START + 10 * SECOND);
    let sent = done[0].0;
    let hedges: Vec<_> = done.iter().filter(|(_, work)| work.fresh).map(|(at, _)| *at - sent).collect();
    assert_eq!(hedges[0], SECOND);
    assert!(hedges.windows(2).all(|pair| pair[1] - pair[0] == ms(500)), "{hedges:?}");
    assert!(hedges.len() >= 4, "{hedges:?}");
}

#[test]
fn a_stream_that_works_through_its_list_is_not_hedged() {
    let ids: Vec<i64> = (1..=100).collect();
    let mut bench = Bench::new(&ids);
    let sent = main_of(&bench.run(START + ms(4300)));
    // One answer every 50 ms: the last one waits 5 s.
    let mut now = START + ms(4300);
    for id in sent {
        now += ms(50);
        bench.keeper.receive(Lane::Main, id, renewal(12), now);
        let hedged: Vec<_> = bench.run(now).into_iter().filter(|(_, work)| !work.hedge.is_empty()).collect();
        // Near the end there is no more time to give.
        assert!(hedged.is_empty() || now > START + ms(7700), "{now:?} {hedged:?}");
        if !hedged.is_empty() {
            return;
        }
    }
}

#[test]
fn a_hedge_that_is_not_needed_is_dropped() {
    let mut bench = Bench::new(&[1]);
    let hedged = bench.run(START + ms(6300));
    assert!(hedged.last().unwrap().1.fresh);
    // The shared stream answers after all.
    assert_eq!(bench.answer(Lane::Main, &[1], 12, START + ms(6350)), [Next::Drop]);
    bench.keeper.closed(Lane::Hedge, false, START + ms(6350));
    assert!(bench.keeper.poll(START + ms(6350)).hedge.is_empty());
}

#[test]
fn a_lost_stream_is_made_good_on_the_next() {
    let mut bench = Bench::new(&[1, 2, 3]);
    let sent = main_of(&bench.run(START + ms(4300)));
    bench.answer(Lane::Main, &sent[..1], 12, START + ms(4310));
    bench.keeper.closed(Lane::Main, false, START + ms(4320));
    assert_eq!(bench.keeper.poll(START + ms(4320)), Work::default());
    assert!(bench.run(START + ms(4700)).is_empty());
    bench.keeper.opened(Lane::Main, START + ms(4700));
    let mut again = bench.keeper.poll(START + ms(4700)).main;
    again.sort_unstable();
    let mut wanted = sent[1..].to_vec();
    wanted.sort_unstable();
    assert_eq!(again, wanted);
}

#[test]
fn without_any_stream_it_expires() {
    let mut bench = Bench::new(&[1]);
    assert!(!bench.keeper.closed(Lane::Main, true, START + SECOND));
    assert!(bench.run(START + 20 * SECOND).is_empty());
    assert_eq!(bench.lost(1), Some(LostReason::Expired));
}

#[test]
fn the_lease_a_stream_was_ended_for_goes_its_own_way() {
    let mut bench = Bench::new(&[1, 2, 3]);
    let sent = main_of(&bench.run(START + ms(4300)));
    let (denied, rest) = (sent[1], sent[2]);
    bench.answer(Lane::Main, &sent[..1], 12, START + ms(4310));
    let now = START + ms(4320);
    assert!(bench.keeper.closed(Lane::Main, true, now));
    bench.keeper.opened(Lane::Main, now);
    assert_eq!(bench.keeper.poll(now).main, [rest]);
    assert_eq!(bench.keeper.next_alone(), Some(denied));
    assert_eq!(bench.keeper.next_alone(), None);
    // It could not be asked for; and then it could.
    bench.keeper.failed_alone(denied, now);
    assert_eq!(bench.keeper.poll(now + ms(400)), Work::default());
    assert_eq!(bench.keeper.next_alone(), None);
    bench.keeper.poll(now + ms(500));
    assert_eq!(bench.keeper.next_alone(), Some(denied));
    bench.keeper.answered(denied, renewal(12), now + ms(500), now + ms(510));
    assert_eq!(bench.holds[&denied].safe_until(), now + ms(500) + 12 * SECOND - ms(240));
    // It stays where it is.
    let done = bench.run(now + ms(4800));
    assert!(!main_of(&done).contains(&denied));
    assert_eq!(bench.keeper.next_alone(), Some(denied));
    let error = Error::new(code::ERR_PERMISSION_DENIED, "etcdserver: permission denied");
    bench.keeper.lose(denied, LostReason::Permission, Some(&error));
    assert_eq!(bench.lost(denied), Some(LostReason::Permission));
    assert!(sent.iter().all(|id| *id == denied || bench.lost(*id).is_none()));
}

#[test]
fn several_owners_share_a_renewal() {
    let mut bench = Bench::new(&[1]);
    let second = Hold::new(1, 12 * SECOND, safe_until(START + SECOND, 12 * SECOND), None);
    bench.keeper.add(second.clone(), START + SECOND, START + SECOND);
    // What is known by one is known by all.
    assert_eq!(bench.holds[&1].safe_until(), second.safe_until());
    let sent = bench.run(START + 6 * SECOND);
    assert_eq!(main_of(&sent), [1]);
    bench.answer(Lane::Main, &[1], 12, START + 6 * SECOND);
    assert_eq!(bench.holds[&1].safe_until(), second.safe_until());
    bench.keeper.release(&bench.holds[&1].clone());
    bench.keeper.lose(1, LostReason::Gone, None);
    assert_eq!((bench.lost(1), second.lost()), (None, Some(LostReason::Gone)));
}

#[test]
fn the_last_owner_ends_it() {
    let mut bench = Bench::new(&[1]);
    let hold = bench.holds[&1].clone();
    bench.run(START + 5 * SECOND);
    bench.keeper.release(&hold);
    assert_eq!((bench.keeper.wants_stream(), bench.keeper.next_wake()), (false, None));
    bench.answer(Lane::Main, &[1], 12, START + 6 * SECOND);
    assert_eq!(bench.keeper.next_wake(), None);
}

#[test]
fn whatever_ends_the_keeper_its_owners_are_told() {
    let bench = Bench::new(&[1]);
    let hold = bench.holds[&1].clone();
    drop(bench.keeper);
    assert_eq!(hold.lost(), Some(LostReason::Closed));
}
