//! Does the predecessor's evidence cover this change? Pure.
//!
//! The newest record of this very set decides, if it says anything: a refusal shuts what an earlier
//! pass opened. A record that counts for nothing neither opens nor shuts.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::words::{count, listed};
use crate::domain::{Check, Digest, EnvironmentName, Finding, MigrationSet, PromotionSummary, Verdict};

use crate::lint::Accepted;

use super::differences::{describe, is_part_of};
use super::rejection::shown;
use super::{
    EVIDENCE, MAX_AGE, Record, RecordedSchema, Records, Rejected, Rejection, RolledBack, SOAK, Signed, State,
};

/// What is demanded of the predecessor.
#[derive(Debug, Clone)]
pub struct Demands<'a> {
    pub project: &'a str,
    /// `owner/name`, where it is known.
    pub repository: Option<&'a str>,
    pub after: &'a EnvironmentName,
    pub soak: Option<Duration>,
    pub max_age: Option<Duration>,
    /// There are public keys, so only what they signed was let through.
    pub signed: bool,
    /// A pass with the promotion rules set aside counts too.
    pub overridden_counts: bool,
}

#[derive(Debug)]
pub struct Promotion {
    pub checks: Vec<Check>,
    pub summary: PromotionSummary,
    /// Warnings of the lint that the predecessor passed with.
    pub accepted: Vec<Accepted>,
    /// What the predecessor was when it last passed and its structures were compared.
    pub schema: Option<RecordedSchema>,
}

/// Judges the predecessor's records at one moment.
pub fn judge(demands: &Demands<'_>, set: &MigrationSet, records: &Records, now: Timestamp) -> Promotion {
    let digest = set.digest();
    let (mut ours, mut rejected) = ours(demands, records, &digest);
    // By a clock that is wrong: it would count as the newest until that day comes.
    let from_the_future = |it: &&Record| finished(it).duration_since(now) > LARGEST_SKEW;
    let future: Vec<&Record> = ours.iter().copied().filter(from_the_future).collect();
    ours.retain(|it| !from_the_future(it));
    ours.sort_by_key(|it| finished(it));
    let same: Vec<&Record> = ours
        .iter()
        .copied()
        .filter(|it| it.evidence.digest == digest || takes_back(it, set))
        .collect();

    let mut findings: Vec<Finding> = future
        .iter()
        .filter(|it| it.evidence.digest == digest)
        .map(|it| from_tomorrow(demands, it))
        .collect();
    let (hidden, counted_out): (Vec<Rejected>, _) = std::mem::take(&mut rejected)
        .into_iter()
        .partition(|it| may_be_a_refusal(demands, it));
    findings.extend(hidden.iter().map(|it| unreadable(demands, it)));

    let decisive = same
        .iter()
        .rev()
        .copied()
        .map(|it| (it, word(demands, it)))
        .find(|(_, word)| !matches!(word, Word::Nothing));
    let decisive = match decisive {
        Some((record, Word::Pass)) => refused_since(demands, &same, record).or(Some((record, Word::Pass))),
        other => other,
    };
    let passed = match decisive {
        Some((record, Word::Pass)) => Some(record),
        _ => None,
    };
    findings.extend(counted_for_nothing(demands, &counted_out, passed.is_some()));
    let mut summary = PromotionSummary {
        after: demands.after.clone(),
        passed_at: None,
        run_url: None,
    };
    let Some(passed) = passed else {
        if let Some((_, Word::Refusal(finding))) = decisive {
            findings.push(finding);
        } else if findings
            .iter()
            .all(|it| it.severity != crate::domain::Severity::Error)
        {
            findings.push(refusal(demands, set, &ours, &same, &counted_out));
        }
        if records.cut_off {
            let message = format!("only the newest records of {} were looked at", demands.after);
            findings.push(Finding::note(message));
        }
        findings.sort_by_key(|it| std::cmp::Reverse(it.severity));
        let checks = vec![
            Check::answered(&EVIDENCE, findings),
            Check::skipped(&SOAK),
            Check::skipped(&MAX_AGE),
        ];
        return Promotion {
            checks,
            summary,
            accepted: Vec::new(),
            schema: None,
        };
    };
    let schema = recorded_schema(&same);
    summary.passed_at = Some(finished(passed));
    summary.run_url.clone_from(&passed.evidence.predicate.run_url);
    findings.extend(tenants_joined(demands, set, passed, ours.last().copied()));
    findings.extend(unchecked(demands, passed));
    findings.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let since = standing_since(demands, &same).unwrap_or_else(|| finished(passed));
    let one = |finding: Option<Finding>| finding.into_iter().collect();
    let checks = vec![
        Check::answered(&EVIDENCE, findings),
        Check::answered(&SOAK, one(soak(demands, since, now))),
        Check::answered(&MAX_AGE, one(max_age(demands, finished(passed), now))),
    ];
    Promotion {
        checks,
        summary,
        accepted: passed.evidence.predicate.lint.clone(),
        schema,
    }
}

/// A run that had nothing to migrate may not have compared anything: then an earlier one's counts.
fn recorded_schema(same: &[&Record]) -> Option<RecordedSchema> {
    let passes = same.iter().rev().map(|it| &it.evidence.predicate);
    let passes = passes.take_while(|it| it.verdict == Verdict::Passed && it.rolled_back.is_none());
    passes.filter_map(|it| it.schema.clone()).next()
}

/// What an environment was when it last passed and was compared, with whatever migrations.
pub fn last_schema(
    project: &str,
    environment: &EnvironmentName,
    records: &Records,
) -> Option<RecordedSchema> {
    let predicates = records.evidence.iter().map(|it| &it.evidence.predicate);
    let here = predicates.filter(|it| it.project == project && it.environment == *environment);
    let passed = here.filter(|it| it.verdict == Verdict::Passed && it.schema.is_some());
    let newest = passed.max_by_key(|it| it.finished_at)?;
    newest.schema.clone()
}

/// A rollback with another set of files on disk takes this one's migrations back all the same.
fn takes_back(record: &Record, set: &MigrationSet) -> bool {
    let rolled_back = record.evidence.predicate.rolled_back.as_ref();
    rolled_back.is_some_and(|it| it.concerns(set))
}

fn finished(record: &Record) -> Timestamp {
    record.evidence.predicate.finished_at
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The records of this project, repository and environment; and all that are none. Another project's
/// may lie in the same folder, and are nobody's business.
fn ours<'a>(
    demands: &Demands<'_>,
    records: &'a Records,
    digest: &Digest,
) -> (Vec<&'a Record>, Vec<Rejected>) {
    let mut ours = Vec::new();
    let mut rejected = records.rejected.clone();
    for record in &records.evidence {
        let predicate = &record.evidence.predicate;
        if predicate.project != demands.project {
            continue;
        }
        let elsewhere = match (demands.repository, predicate.repository.as_deref()) {
            (Some(here), Some(there)) if !here.eq_ignore_ascii_case(there) => Some(there),
            _ => None,
        };
        let why = if predicate.environment != *demands.after {
            Some(Rejection::Environment(predicate.environment.clone()))
        } else {
            elsewhere.map(|it| Rejection::Repository(shown(it)))
        };
        match why {
            None => ours.push(record),
            Some(why) => rejected.push(Rejected {
                place: record.place.clone(),
                why,
                of_this_set: record.evidence.digest == *digest,
            }),
        }
    }
    (ours, rejected)
}

/// What one record of this very set says.
enum Word {
    Pass,
    Refusal(Finding),
    /// Neither.
    Nothing,
}

fn word(demands: &Demands<'_>, record: &Record) -> Word {
    let after = demands.after;
    let predicate = &record.evidence.predicate;
    let at = minute(predicate.finished_at);
    let again = format!("run `tenantgate run --environment {after}` with exactly these migrations first");
    if let Some(RolledBack { scope, to }) = &predicate.rolled_back {
        let message = format!("{after} was rolled back to {scope} migration {to} at {at}");
        return Word::Refusal(Finding::error(message).hint(again));
    }
    if predicate.verdict == Verdict::Blocked {
        let message = format!("{after} was blocked with this change in its last run, at {at}");
        return Word::Refusal(
            Finding::error(message).hint(format!("mend what blocked {after}, and {again}")),
        );
    }
    let tenants = &predicate.tenants;
    let left_out = tenants
        .discovered
        .saturating_sub(tenants.up_to_date.saturating_add(tenants.migrated))
        .saturating_sub(tenants.suspended);
    if left_out > 0 {
        let message = format!(
            "{after} passed with this change at {at}, but {left_out} of its {} have not got it",
            count(tenants.discovered, "tenant")
        );
        return Word::Refusal(Finding::error(message).hint(again));
    }
    match record.state {
        State::Contradicted => {
            let message = format!(
                "the evidence of {after} says that it passed with this change at {at}, and {} says that it failed",
                record.place
            );
            Word::Refusal(Finding::error(message).hint(again))
        }
        State::Unfinished => Word::Nothing,
        State::Complete if predicate.overridden.is_some() && !demands.overridden_counts => Word::Nothing,
        State::Complete => Word::Pass,
    }
}

/// A refusal that came to the store after the pass, though a clock that was wrong dates it before.
fn refused_since<'a>(
    demands: &Demands<'_>,
    same: &[&'a Record],
    passed: &Record,
) -> Option<(&'a Record, Word)> {
    let later = same.iter().rev().filter(|it| it.number > passed.number);
    let mut words = later.map(|it| (*it, word(demands, it)));
    words.find(|(_, word)| matches!(word, Word::Refusal(_)))
}

/// It has stood there since it first passed, unless it failed in between.
fn standing_since(demands: &Demands<'_>, same: &[&Record]) -> Option<Timestamp> {
    let words = same.iter().rev().map(|it| (finished(it), word(demands, it)));
    let unbroken = words.take_while(|(_, word)| !matches!(word, Word::Refusal(_)));
    let passes = unbroken.filter(|(_, word)| matches!(word, Word::Pass));
    passes.map(|(at, _)| at).last()
}

/// Clocks of machines that are looked after differ by less.
const LARGEST_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

fn from_tomorrow(demands: &Demands<'_>, record: &Record) -> Finding {
    Finding::error(format!(
        "{}'s evidence of this migration set is from the future ({}): {}",
        demands.after,
        minute(finished(record)),
        record.place
    ))
    .hint(format!(
        "mend the clock that is wrong, here or there; remove that record, and run `tenantgate run --environment {}` again",
        demands.after
    ))
}

/// What nobody can read may be a refusal of this very set, so it is not passed over. Where signatures
/// are demanded, what is not even an envelope has no signature, and has no say.
fn may_be_a_refusal(demands: &Demands<'_>, rejected: &Rejected) -> bool {
    use Rejection::{Base64, Envelope, File, PayloadType};
    let before_signature = matches!(rejected.why, Envelope | PayloadType | Base64 | File(_));
    rejected.of_this_set && rejected.why.hides_what_it_says() && !(demands.signed && before_signature)
}

fn unreadable(demands: &Demands<'_>, rejected: &Rejected) -> Finding {
    let message = format!(
        "a record of this migration set cannot be read: {} ({})",
        rejected.why, rejected.place
    );
    Finding::error(message).hint(rejected.why.hint(demands.after))
}

/// Each reason once. Worth a warning where nobody can have meant it, or where nothing else counts.
fn counted_for_nothing(demands: &Demands<'_>, rejected: &[Rejected], passed: bool) -> Vec<Finding> {
    let mut places: BTreeMap<&Rejection, Vec<&str>> = BTreeMap::new();
    for it in rejected {
        places.entry(&it.why).or_default().push(&it.place);
    }
    let finding = |(why, places): (&Rejection, Vec<&str>)| {
        let verb = if places.len() == 1 { "counts" } else { "count" };
        let message = format!("{} {verb} for nothing: {why}", listed(&places, 3));
        let strange = why.hides_what_it_says() || matches!(why, Rejection::Altered(_));
        if strange || !passed {
            Finding::warning(message)
        } else {
            Finding::note(message)
        }
        .hint(why.hint(demands.after))
    };
    places.into_iter().map(finding).collect()
}

/// Nothing says passed, and nothing says blocked: what comes nearest to it.
fn refusal(
    demands: &Demands<'_>,
    set: &MigrationSet,
    ours: &[&Record],
    same: &[&Record],
    rejected: &[Rejected],
) -> Finding {
    let after = demands.after;
    let hint = format!("run `tenantgate run --environment {after}` with exactly these migrations first");
    if let Some(last) = same.last() {
        return silent(demands, last);
    }
    if let Some(rejected) = rejected.iter().rfind(|it| it.of_this_set) {
        return Finding::error(format!(
            "{after}'s evidence of this migration set counts for nothing: {}",
            rejected.why
        ))
        .hint(rejected.why.hint(after));
    }
    let shows_pass = |it: &&&Record| !matches!(word(demands, it), Word::Refusal(_));
    let Some(passed) = ours.iter().rev().find(shows_pass) else {
        let message = format!(
            "{after} has not passed with this migration set ({})",
            set.digest().short()
        );
        return Finding::error(message).hint(hint);
    };
    let (message, only_added) = describe(after.as_str(), &passed.evidence.predicate, set);
    let restore =
        format!("restore what {after} has applied already, and put the change into a new migration; then ");
    Finding::error(message).hint(if only_added { hint } else { restore + &hint })
}

/// There is a record of this set that would be a pass, and is none.
fn silent(demands: &Demands<'_>, record: &Record) -> Finding {
    let after = demands.after;
    let at = minute(finished(record));
    match &record.evidence.predicate.overridden {
        Some(by) if record.state == State::Complete => Finding::error(format!(
            "{after} passed with this change at {at} only under an override by {} ({}), which does not count here",
            shown(&by.actor),
            shown(&by.reason)
        ))
        .hint(format!(
            "run `tenantgate run --environment {after}` again without `--override`, once its own promotion rules \
             hold; or say `counts = true` in [promotion.override]"
        )),
        _ => Finding::error(format!(
            "{after}'s evidence of this change ({}, {at}) was begun and never completed: its run ended before",
            record.place
        ))
        .hint(format!(
            "run `tenantgate run --environment {after}` again: what is done is left alone"
        )),
    }
}

/// The database before is not seen from here, its newest record is. Tenants that joined since have this
/// change only where that record shows that everything of it reached them.
fn tenants_joined(
    demands: &Demands<'_>,
    set: &MigrationSet,
    passed: &Record,
    newest: Option<&Record>,
) -> Option<Finding> {
    let after = demands.after;
    let newest = newest.filter(|it| finished(it) > finished(passed))?;
    let (then, now) = (&passed.evidence.predicate.tenants, &newest.evidence.predicate);
    let joined = now.tenants.discovered.checked_sub(then.discovered)?;
    let reached = matches!(word(demands, newest), Word::Pass) && is_part_of(set, now);
    (joined > 0 && !reached).then(|| {
        Finding::error(format!(
            "{after} passed with this change when it had {}, and has {} by its newest record",
            count(then.discovered, "tenant"),
            now.tenants.discovered
        ))
        .hint(format!(
            "run `tenantgate run --environment {after}` again: it brings the others to this change"
        ))
    })
}

fn unchecked(demands: &Demands<'_>, passed: &Record) -> Option<Finding> {
    let Signed::Unchecked(id) = &passed.signed else {
        return None;
    };
    Some(
        Finding::note(format!(
            "{}'s evidence is signed by {id}, and nothing here checks that",
            demands.after
        ))
        .hint("name the public key in `public_keys` of [promotion]: then nothing else counts"),
    )
}

fn soak(demands: &Demands<'_>, since: Timestamp, now: Timestamp) -> Option<Finding> {
    let soak = demands.soak?;
    let stood = stood(since, now);
    (stood < soak).then(|| {
        let ready = since
            .checked_add(soak)
            .map_or_else(|_| "later".to_owned(), minute);
        Finding::error(format!(
            "the change has stood in {} for {}, and must for {}",
            demands.after,
            rough(stood),
            rough(soak)
        ))
        .hint(format!("try again from {ready} on"))
    })
}

fn max_age(demands: &Demands<'_>, passed: Timestamp, now: Timestamp) -> Option<Finding> {
    let max_age = demands.max_age?;
    let age = stood(passed, now);
    (age > max_age).then(|| {
        Finding::error(format!(
            "{}'s evidence is {} old, and may be {}",
            demands.after,
            rough(age),
            rough(max_age)
        ))
        .hint(format!(
            "run `tenantgate run --environment {}` again",
            demands.after
        ))
    })
}

/// A record from the future, by a clock that is wrong, has stood for no time.
fn stood(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// `3 d 4 h`: the two largest units.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}
