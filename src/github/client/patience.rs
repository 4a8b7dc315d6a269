//! How often, and after how long, a request is sent again.
//!
//! Reading, PATCH and DELETE are repeated after a server's error, a lost answer, and where GitHub was
//! not reached; POST only where nothing can have come of it. Rate limits are waited for as GitHub
//! says: `retry-after`, then `x-ratelimit-reset`, else a minute, and longer each time.
//! <https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use super::GithubError;

/// How long a client bears with GitHub.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one request, from the connection to the answer's last byte.
    pub request: Duration,
    /// Before the first repetition; it doubles, up to 16 times itself, with jitter.
    pub pause: Duration,
    /// How often a request is repeated after failures; rate limits count apart.
    pub repetitions: usize,
    /// After a rate limit that does not say for how long; it doubles.
    pub limit_pause: Duration,
    /// All pauses and all failed requests of a client and its clones together. When it is used up,
    /// every further request has one try, and a sixth of the usual time.
    pub waiting: Duration,
}

impl Default for Patience {
    /// The waiting has room for the one minute that GitHub asks for where it says nothing else.
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            pause: Duration::from_millis(500),
            repetitions: 3,
            limit_pause: Duration::from_secs(60),
            waiting: Duration::from_secs(75),
        }
    }
}

/// What is left of a client's waiting.
pub(super) struct Budget {
    patience: Patience,
    left: Mutex<Duration>,
}

impl Budget {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            left: Mutex::new(patience.waiting),
        }
    }

    pub(super) fn tries(&self) -> Tries<'_> {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.patience.pause)
            .with_max_delay(self.patience.pause * 16)
            .with_max_times(self.patience.repetitions)
            .with_jitter();
        Tries {
            budget: self,
            backoff: backoff.build(),
            limits: 0,
            too_long: false,
        }
    }

    pub(super) fn timer(&self) -> Timer<'_> {
        Timer {
            budget: self,
            began: Instant::now(),
        }
    }

    fn left(&self) -> MutexGuard<'_, Duration> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, pause: Duration) -> bool {
        let mut left = self.left();
        let rest = left.checked_sub(pause);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

/// One request's time.
pub(super) struct Timer<'a> {
    budget: &'a Budget,
    began: Instant,
}

impl Timer<'_> {
    pub(super) fn limit(&self) -> Duration {
        let usual = self.budget.patience.request;
        usual.min((*self.budget.left()).max(usual / 6))
    }

    /// It was lost.
    pub(super) fn charge(&self) {
        let mut left = self.budget.left();
        *left = left.saturating_sub(self.began.elapsed());
    }
}

/// The tries of one request.
pub(super) struct Tries<'a> {
    budget: &'a Budget,
    backoff: ExponentialBackoff,
    limits: u32,
    too_long: bool,
}

impl Tries<'_> {
    /// How long to wait before another try; None: there is none.
    pub(super) fn pause_after(&mut self, error: &GithubError) -> Option<Duration> {
        let pause = match error {
            GithubError::RateLimited { wait, .. } => {
                let patience = &self.budget.patience;
                let growth = 2_u32.saturating_pow(self.limits);
                self.limits += 1;
                // Not even a zero is an invitation to hurry.
                let least = patience.pause.saturating_mul(growth);
                wait.unwrap_or_else(|| patience.limit_pause.saturating_mul(growth))
                    .max(least)
            }
            error if error.may_be_repeated() => self.backoff.next()?,
            _ => return None,
        };
        self.too_long = !self.budget.take(pause);
        (!self.too_long).then_some(pause)
    }

    /// The error, with the reason why it is not tried again where that is not plain.
    pub(super) fn last_word(&self, mut error: GithubError) -> GithubError {
        if let GithubError::RateLimited { message, wait, .. } = &mut error
            && self.too_long
        {
            let cap = self.budget.patience.waiting.as_secs();
            let wanted = match wait {
                Some(wait) => format!("its limit lasts another {} s", wait.as_secs()),
                None => "it does not say for how long".to_owned(),
            };
            message.push_str(&format!(" ({wanted}; this run waits {cap} s for GitHub in all)"));
        }
        error
    }
}
