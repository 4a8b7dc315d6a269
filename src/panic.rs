//! A bug of ours says where it is, not what it held: a panic's message can quote a value.

use std::io::Write as _;

/// Ends the process with exit code 70 at the first panic of any thread.
#[expect(clippy::exit, reason = "the one place where the process ends by itself")]
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let version = env!("CARGO_PKG_VERSION");
        let _ = writeln!(
            std::io::stderr(),
            "error: a bug of tenantgate {version}{place}\n  hint: please report it with this line; what was begun is in the ledger, so running again is safe"
        );
        std::process::exit(i32::from(crate::exit::Exit::Bug.code()));
    }));
}
