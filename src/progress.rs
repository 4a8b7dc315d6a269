//! Progress on stderr: a bar on a terminal, a folded line now and then in Actions, elsewhere only what
//! a person waits for.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::domain::words::{count, thousands};
use crate::domain::{OutcomeState, Redactor, TenantName};
use crate::rollout::{Event, Progress};

/// Between two lines in an Actions log.
const PAUSE: Duration = Duration::from_secs(10);

/// Fewer are compared before somebody has read that they are.
const MANY: usize = 500;

/// Chooses the form that fits where stderr goes.
pub(crate) fn progress(quiet: bool, in_actions: bool, redactor: Redactor) -> Box<dyn Progress> {
    let form = match (quiet, in_actions, std::io::stderr().is_terminal()) {
        (true, _, _) => Form::Quiet,
        (false, true, _) => Form::Lines,
        (false, false, true) => Form::Bar,
        (false, false, false) => Form::Notices,
    };
    Box::new(Teller {
        form,
        redactor,
        state: Mutex::new(State {
            bar: None,
            told: Instant::now(),
            at_work: Arc::default(),
        }),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Quiet,
    /// Only what one waits for: another run's lease, a signal.
    Notices,
    Lines,
    Bar,
}

struct Teller {
    form: Form,
    redactor: Redactor,
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    told: Instant,
    /// Shared with the bar, which draws itself.
    at_work: Arc<Mutex<AtWork>>,
}

impl Progress for Teller {
    fn tell(&self, event: &Event<'_>) {
        if self.form == Form::Quiet {
            return;
        }
        let mut state = locked(&self.state);
        match event {
            Event::Waiting { whence, seconds } => self.say(
                &state,
                &format!("waiting: {whence} owns this environment (its lease ends in {seconds} s unless it goes on)"),
            ),
            Event::Stopping => self.say(&state, "stopping: the tenants in hand are finished, no others begun"),
            Event::Retry { tenant, message } if self.form != Form::Notices => {
                let who = tenant.map_or_else(|| "shared schema".to_owned(), ToString::to_string);
                self.say(&state, &format!("{who}: {message}; trying again"));
            }
            Event::Shared { pending } if self.form != Form::Notices => {
                self.say(&state, &format!("shared schema: {pending} pending"));
            }
            Event::Comparing { tenants } if self.form != Form::Notices && *tenants >= MANY => {
                let many = thousands(*tenants);
                self.say(&state, &format!("comparing the structures of {many} tenants"));
            }
            Event::Retry { .. } | Event::Shared { .. } | Event::Comparing { .. } => {}
            Event::Tenants { total, behind } => self.begin(&mut state, *total, *behind, "to migrate"),
            Event::Back { total } => self.begin(&mut state, *total, *total, "to take back"),
            Event::Begun(tenant) => {
                locked(&state.at_work).hands.insert((*tenant).clone(), Hand::now());
            }
            Event::PutBack(tenant) => {
                locked(&state.at_work).hands.remove(*tenant);
            }
            Event::Ranges {
                tenant,
                passed,
                about,
                waiting,
            } => self.ranges(&mut state, *tenant, (*passed, *about), *waiting),
            Event::Done(outcome) => {
                let mut at_work = locked(&state.at_work);
                at_work.done += 1;
                at_work.failed += usize::from(outcome.state == OutcomeState::Failed);
                at_work.hands.retain(|name, _| outcome.tenant.as_ref() != Some(name));
                drop(at_work);
                self.advance(&mut state);
            }
            Event::Tick => self.advance(&mut state),
            Event::Finished => self.end(&mut state),
        }
    }
}

impl Teller {
    fn say(&self, state: &State, text: &str) {
        let text: String = self
            .redactor
            .redact(text)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        match &state.bar {
            Some(bar) => bar.println(&text),
            // Nobody listens where stderr is closed.
            None => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }

    fn begin(&self, state: &mut State, total: usize, behind: usize, what: &str) {
        state.told = Instant::now();
        *locked(&state.at_work) = AtWork {
            total: behind,
            ..AtWork::default()
        };
        if behind == 0 {
            return;
        }
        match self.form {
            Form::Lines => {
                self.say(
                    state,
                    &format!("::group::{}, {behind} {what}", count(total, "tenant")),
                );
            }
            Form::Bar => state.bar = Some(bar(behind, &state.at_work)),
            Form::Quiet | Form::Notices => {}
        }
    }

    /// Rows of the shared schema are told in lines of their own; a tenant's where the tenants are.
    fn ranges(
        &self,
        state: &mut State,
        tenant: Option<&TenantName>,
        (passed, about): (u64, u64),
        waiting: Option<&str>,
    ) {
        let number = |rows: u64| thousands(usize::try_from(rows).unwrap_or(usize::MAX));
        let of = match about {
            0 => String::new(),
            about => format!(" of about {}", number(about)),
        };
        let passed = number(passed);
        let waits = waiting.map_or_else(String::new, |why| format!(", waiting: {why}"));
        let text = format!("{passed}{of} rows{waits}");
        match tenant {
            Some(tenant) => {
                if let Some(hand) = locked(&state.at_work).hands.get_mut(tenant) {
                    hand.note = Some(text);
                }
            }
            None if self.form != Form::Notices && state.told.elapsed() >= PAUSE => {
                state.told = Instant::now();
                self.say(state, &format!("shared schema: {text}"));
            }
            None => {}
        }
    }

    fn advance(&self, state: &mut State) {
        let at_work = locked(&state.at_work);
        if let Some(bar) = &state.bar {
            bar.set_position(at_work.done as u64);
        }
        // The end tells the last line itself.
        let under_way = at_work.done < at_work.total;
        if self.form == Form::Lines && under_way && state.told.elapsed() >= PAUSE {
            let line = at_work.line(Instant::now());
            drop(at_work);
            state.told = Instant::now();
            self.say(state, &line);
        }
    }

    fn end(&self, state: &mut State) {
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        let at_work = std::mem::take(&mut *locked(&state.at_work));
        if self.form == Form::Lines && at_work.total > 0 {
            self.say(state, &at_work.line(Instant::now()));
            self.say(state, "::endgroup::");
        }
    }
}

fn bar(behind: usize, at_work: &Arc<Mutex<AtWork>>) -> ProgressBar {
    let bar = ProgressBar::new(behind as u64);
    let at_work = at_work.clone();
    // Not the library's own rate and estimate: while one tenant takes long they go to nothing and to years.
    let now = move |_: &ProgressState, to: &mut dyn std::fmt::Write| {
        let _ = write!(to, "{}", locked(&at_work).line(Instant::now()));
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:20.cyan} {now}") {
        bar.set_style(style.with_key("now", now));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Who is being migrated, and since when.
struct AtWork {
    since: Instant,
    total: usize,
    done: usize,
    failed: usize,
    hands: BTreeMap<TenantName, Hand>,
}

struct Hand {
    since: Instant,
    /// How far a long migration came.
    note: Option<String>,
}

impl Hand {
    fn now() -> Self {
        Self {
            since: Instant::now(),
            note: None,
        }
    }

    fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

impl Default for AtWork {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            total: 0,
            done: 0,
            failed: 0,
            hands: BTreeMap::new(),
        }
    }
}

/// A tenant that takes longer is worth a look.
const SLOW: Duration = Duration::from_secs(3);

impl AtWork {
    /// `120 of 1000 tenants done, 14/s, about 63 s left; 2 failed; longest at it: acme 12 s`
    fn line(&self, now: Instant) -> String {
        let took = now.saturating_duration_since(self.since).as_secs_f64();
        let mut parts = vec![format!("{} of {} done", self.done, count(self.total, "tenant"))];
        if self.done > 0 && took > 0.0 {
            let per_second = self.done as f64 / took;
            parts[0].push_str(&format!(", {}", rate(per_second)));
            let left = self.total.saturating_sub(self.done) as f64 / per_second;
            // Where somebody takes longer than the others were to take together, nobody knows.
            let longest = self.hands.values().map(|hand| hand.took(now).as_secs_f64());
            if left > 0.0 && longest.fold(0.0, f64::max) <= left {
                parts[0].push_str(&format!(", about {} left", duration(left.ceil() as u64)));
            }
        }
        parts.extend(self.trouble(now));
        parts.join("; ")
    }

    /// Failures, and the slowest of those at hand.
    fn trouble(&self, now: Instant) -> Vec<String> {
        let mut parts = Vec::new();
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        let mut slow: Vec<(&TenantName, &Hand)> = self
            .hands
            .iter()
            .filter(|(_, hand)| hand.took(now) >= SLOW)
            .collect();
        slow.sort_by_key(|(_, hand)| hand.since);
        let named = |(name, hand): &(&TenantName, &Hand)| {
            let note = hand
                .note
                .as_ref()
                .map_or_else(String::new, |note| format!(" ({note})"));
            format!("{name} {}{note}", duration(hand.took(now).as_secs()))
        };
        let slow: Vec<String> = slow.iter().take(3).map(named).collect();
        if !slow.is_empty() {
            parts.push(format!("longest at it: {}", slow.join(", ")));
        }
        parts
    }
}

/// `14/s`, `2.5/s`, `12/min`, `0.4/min`
fn rate(per_second: f64) -> String {
    let (number, unit) = if per_second < 1.0 {
        (per_second * 60.0, "min")
    } else {
        (per_second, "s")
    };
    let digits = usize::from(number < 9.95);
    format!("{number:.digits$}/{unit}")
}

/// `63 s`, `7 min`, `2 h 5 min`
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_rest_failures_and_who_is_slow() {
        let name = |text: &str| TenantName::parse(text).expect("a name");
        let since = Instant::now();
        let hand = |since, note: Option<&str>| Hand {
            since,
            note: note.map(str::to_owned),
        };
        let at = |seconds| since + Duration::from_secs(seconds);
        let at_work = AtWork {
            since,
            total: 1000,
            done: 120,
            failed: 2,
            hands: BTreeMap::from([
                (name("acme"), hand(at(48), None)),
                (name("quick"), hand(at(59), None)),
                (name("zeta"), hand(at(55), Some("4000 of about 9000 rows"))),
            ]),
        };
        assert_eq!(
            at_work.line(at(60)),
            "120 of 1000 tenants done, 2.0/s, about 7 min left; 2 failed; longest at it: \
             acme 12 s, zeta 5 s (4000 of about 9000 rows)"
        );
        assert_eq!(
            AtWork {
                since,
                total: 3,
                ..AtWork::default()
            }
            .line(at(1)),
            "0 of 3 tenants done"
        );
    }

    #[test]
    fn nobody_guesses_how_long_the_last_one_takes() {
        let since = Instant::now();
        let name = TenantName::parse("acme").expect("a name");
        let at_work = AtWork {
            since,
            total: 120,
            done: 119,
            failed: 0,
            hands: BTreeMap::from([(name, Hand { since, note: None })]),
        };
        let line = |seconds| at_work.line(since + Duration::from_secs(seconds));
        assert_eq!(
            line(30),
            "119 of 120 tenants done, 4.0/s; longest at it: acme 30 s"
        );
        assert_eq!(
            line(7_500),
            "119 of 120 tenants done, 1.0/min; longest at it: acme 2 h 5 min"
        );
    }

    #[test]
    fn rates_and_times_have_the_unit_that_fits() {
        let rates = [
            (140.2, "140/s"),
            (9.94, "9.9/s"),
            (1.0, "1.0/s"),
            (0.5, "30/min"),
            (0.01, "0.6/min"),
        ];
        for (per_second, text) in rates {
            assert_eq!(rate(per_second), text);
        }
        for (seconds, text) in [(0, "0 s"), (119, "119 s"), (150, "2 min"), (7_200, "2 h 0 min")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
