//! A file system that fills up: a few megabytes of memory, mounted where only some processes see it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// It lasts as long as the value. What is to see it is started by [`SmallDisk::command`].
pub struct SmallDisk {
    /// Where it is mounted.
    folder: TempDir,
    /// Keeps the mount alive.
    holder: Child,
}

impl SmallDisk {
    pub fn new(megabytes: usize) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tenantgate-disk-")
            .tempdir_in("/tmp")
            .unwrap();
        let script = format!(
            "mount -t tmpfs -o size={megabytes}m,mode=777 none '{}' && echo mounted && exec sleep 1000000",
            folder.path().display()
        );
        let namespaces: &[&str] = if is_root() {
            &["--mount"]
        } else {
            &["--map-root-user", "--mount"]
        };
        let mut holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(namespaces)
            .args(["sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        drop(BufReader::new(stdout).read_line(&mut line));
        assert_eq!(
            line.trim(),
            "mounted",
            "this test mounts a small disk in a namespace of its own, which this machine does not allow: as \
             root it may, and others where `unshare --map-root-user --mount true` works (on Ubuntu: \
             sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
        );
        Self { folder, holder }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What to put before a command that is to see it.
    pub fn entrance(&self) -> Vec<String> {
        let holder = self.holder.id().to_string();
        let mut words = vec!["nsenter", "--target", &holder, "--wd=.", "--mount"];
        if !is_root() {
            words.extend(["--user", "--preserve-credentials"]);
        }
        words.into_iter().map(str::to_owned).collect()
    }

    /// A program that sees the disk, with its arguments to come.
    pub fn command(&self, program: &str) -> Command {
        let entrance = self.entrance();
        let mut command = Command::new(&entrance[0]);
        command.args(&entrance[1..]).arg(program);
        command
    }

    /// Runs a shell's command in its folder.
    pub fn sh(&self, script: &str) -> String {
        let mut command = self.command("sh");
        command.args([
            "-c",
            &format!("cd '{}' && {script}", self.folder.path().display()),
        ]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Leaves no more than so many kilobytes free.
    pub fn fill_but(&self, kilobytes: usize) {
        self.sh(&format!(
            "dd if=/dev/zero of=ballast bs=1k count=$(( $(df -k --output=avail . | tail -n 1) - {kilobytes} )) 2>/dev/null"
        ));
    }

    /// From now on, or no longer, nothing can be written to it.
    pub fn read_only(&self, on: bool) {
        let mode = if on { "ro" } else { "rw" };
        self.sh(&format!(
            "mount -o remount,bind,{mode} '{}'",
            self.folder.path().display()
        ));
    }

    /// Puts a copy of what is on it where everybody can look.
    pub fn copy_to(&self, folder: &std::path::Path) {
        self.sh(&format!("cp -r . '{}'", folder.display()));
    }

    /// Removes what [`SmallDisk::fill_but`] put there.
    pub fn free(&self) {
        self.sh("rm -f ballast");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
