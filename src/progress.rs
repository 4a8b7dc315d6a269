//! Progress on stderr: a bar on a terminal, a line now and then in Actions, elsewhere only what a
//! person waits for.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::domain::{OutcomeState, Redactor};
use crate::rollout::{Event, Progress};

/// Between two lines in an Actions log.
const PAUSE: Duration = Duration::from_secs(10);

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
            total: 0,
            done: 0,
            failed: 0,
            told: Instant::now(),
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
    total: usize,
    done: usize,
    failed: usize,
    told: Instant,
}

impl Progress for Teller {
    fn tell(&self, event: &Event<'_>) {
        if self.form == Form::Quiet {
            return;
        }
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
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
            Event::Tenants { total, behind } => self.begin(&mut state, *total, *behind, "to migrate"),
            Event::Back { total } => self.begin(&mut state, *total, *total, "to take back"),
            Event::Done(outcome) => {
                state.done += 1;
                state.failed += usize::from(outcome.state == OutcomeState::Failed);
                self.advance(&mut state);
            }
            Event::Finished => {
                if let Some(bar) = state.bar.take() {
                    bar.finish_and_clear();
                }
            }
            Event::Retry { .. } | Event::Shared { .. } => {}
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
        (state.total, state.done, state.failed, state.told) = (behind, 0, 0, Instant::now());
        if behind == 0 {
            return;
        }
        match self.form {
            Form::Lines => self.say(state, &format!("{total} tenants, {behind} {what}")),
            Form::Bar => {
                let bar = ProgressBar::new(behind as u64);
                let template = "{bar:30.cyan} {pos}/{len} tenants  {rate}  {eta} left  {msg}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    let rate = |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                        let _ = write!(to, "{:.0}/s", state.per_sec());
                    };
                    bar.set_style(style.with_key("rate", rate));
                }
                bar.enable_steady_tick(Duration::from_millis(200));
                state.bar = Some(bar);
            }
            Form::Quiet | Form::Notices => {}
        }
    }

    fn advance(&self, state: &mut State) {
        if let Some(bar) = &state.bar {
            bar.set_position(state.done as u64);
            if state.failed > 0 {
                bar.set_message(format!("{} failed", state.failed));
            }
        }
        if self.form == Form::Lines && state.told.elapsed() >= PAUSE {
            state.told = Instant::now();
            let text = format!(
                "{} of {} tenants done, {} failed",
                state.done, state.total, state.failed
            );
            self.say(state, &text);
        }
    }
}
