//! Servers of one test, which it may kill, restart, or starve.
//!
//! As those of `tests/run` they run on a free port of 127.0.0.1 in a temporary folder, never as root.
//! What was committed is with the kernel when the client hears of it: it survives the server, not the machine.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::database::Database;
use super::servers::{Server, TestDatabase, required, unique_password};
use super::small_disk::{SmallDisk, is_root};

const ADMIN: &str = "gate_admin";
/// Debian's `nobody` and `nogroup`.
const NOBODY: u32 = 65534;

/// A server that lives as long as the value, and ends on every path.
pub struct PrivateServer {
    server: Server,
    /// Its data, logs and sockets.
    home: TempDir,
    disk: Option<SmallDisk>,
    settings: Vec<String>,
    port: u16,
    password: String,
    child: Option<Child>,
}

impl PrivateServer {
    pub fn start(server: Server) -> Self {
        Self::start_with(server, None, &[])
    }

    /// With its data on a disk that can be filled, and further options of its command line.
    pub fn start_with(server: Server, disk: Option<SmallDisk>, settings: &[&str]) -> Self {
        let home = tempfile::Builder::new()
            .prefix("tenantgate-srv-")
            .tempdir_in("/tmp")
            .unwrap();
        if is_root() {
            chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut private = Self {
            server,
            home,
            disk,
            settings: settings.iter().map(|&it| it.to_owned()).collect(),
            port: free_port(),
            password: unique_password(),
            child: None,
        };
        match server {
            Server::Postgres => private.prepare_postgres(),
            Server::Mariadb => private.prepare_mariadb(),
            _ => panic!("{server:?} is no server of its own"),
        }
        private.restart();
        private
    }

    /// The superuser's.
    pub fn url(&self) -> String {
        let (scheme, database) = match self.server {
            Server::Postgres => ("postgres", "postgres"),
            _ => ("mysql", "mysql"),
        };
        let Self { port, password, .. } = self;
        format!("{scheme}://{ADMIN}:{password}@127.0.0.1:{port}/{database}")
    }

    pub fn fresh_database(&self) -> TestDatabase {
        self.server.fresh_database_of(&self.url()).undropped()
    }

    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("this server has one")
    }

    /// SIGKILL for every process of the server at once, as far as the kernel knows of such a thing.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        // PostgreSQL's processes outlive the one that started them for a moment.
        let begun = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "they do not end: {left:?}"
            );
            let pids: Vec<String> = left.iter().map(u32::to_string).collect();
            let kill = format!("kill -KILL {} 2>/dev/null", pids.join(" "));
            drop(Command::new("sh").args(["-c", &kill]).status());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it on the same data, and waits until it answers.
    pub fn restart(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.home.path().join("log"))
            .unwrap();
        let mut command = match self.server {
            Server::Postgres => self.postgres(),
            _ => self.mariadbd(),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while !Database::answers(&self.url()) {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            if let (Some(_), _) | (_, true) = (ended, begun.elapsed() > Duration::from_secs(60)) {
                panic!("{:?} does not answer ({ended:?}):\n{}", self.server, self.log());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        let folder = self.disk.as_ref().map_or(self.home.path(), SmallDisk::folder);
        folder.join("data")
    }

    /// Those whose working directory is the data's.
    fn processes(&self) -> Vec<u32> {
        let data = self.data();
        let of_ours = |entry: fs::DirEntry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            (fs::read_link(entry.path().join("cwd")).ok()? == data).then_some(pid)
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(of_ours).collect()
    }

    /// A program as an unprivileged user that ends with this thread, with none of our environment.
    fn command(&self, program: &Path, signal: &str) -> Command {
        let mut command = match &self.disk {
            Some(disk) => disk.command("setpriv"),
            None => Command::new("setpriv"),
        };
        if is_root() {
            let nobody = NOBODY.to_string();
            command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        }
        command.args(["--pdeathsig", signal, "--"]);
        if self.disk.is_some() && !is_root() {
            // In the disk's namespace this user is root, which servers refuse to be.
            command.args(["unshare", "--user", "--map-user=1000", "--"]);
        }
        command
            .arg(program)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", self.home.path())
            .env("LC_ALL", "C");
        command
    }

    fn prepare(&self, mut command: Command) {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}\n{text}");
    }

    /// A file that the server may read, and nobody else.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        if is_root() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        path
    }

    fn prepare_postgres(&self) {
        let password = self.write("password", &self.password);
        let mut initdb = self.command(&postgres_programs().join("initdb"), "KILL");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(password)
            .arg(format!("--username={ADMIN}"))
            .args([
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]);
        if self.disk.is_some() {
            // A log that cannot be written ends the server; what tables hold is what is to find no room.
            initdb.arg("--waldir").arg(self.home.path().join("wal"));
        }
        self.prepare(initdb);
    }

    fn postgres(&self) -> Command {
        let mut command = self.command(&postgres_programs().join("postgres"), "QUIT");
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()]);
        let sockets = format!("unix_socket_directories={}", self.home.path().display());
        let settings = [
            "listen_addresses=127.0.0.1",
            &sockets,
            "password_encryption=scram-sha-256",
            "shared_buffers=32MB",
            "fsync=off",
            "autovacuum=off",
        ];
        for setting in settings
            .into_iter()
            .chain(self.settings.iter().map(String::as_str))
        {
            command.args(["-c", setting]);
        }
        command
    }

    fn prepare_mariadb(&self) {
        let mut install = self.command(Path::new("mariadb-install-db"), "KILL");
        install
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", self.data().display()))
            .args(self.mariadb_files());
        self.prepare(install);
    }

    fn mariadbd(&self) -> Command {
        let password = &self.password;
        let init = self.write(
            "init.sql",
            &format!(
                "CREATE USER IF NOT EXISTS {ADMIN}@'%' IDENTIFIED BY '{password}';\n\
                 GRANT ALL ON *.* TO {ADMIN}@'%' WITH GRANT OPTION;\n"
            ),
        );
        let mut command = self.command(Path::new("mariadbd"), "KILL");
        let in_home =
            |option: &str, file: &str| format!("--{option}={}", self.home.path().join(file).display());
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--port={}", self.port))
            .args([in_home("socket", "sock"), in_home("pid-file", "pid")])
            .arg(format!("--init-file={}", init.display()))
            .args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--skip-log-bin",
            ])
            .args(["--character-set-server=utf8mb4", "--loose-performance-schema=OFF"])
            .args([
                "--innodb-buffer-pool-size=32M",
                "--innodb-flush-log-at-trx-commit=2",
            ])
            .args(self.mariadb_files())
            .args(&self.settings);
        command
    }

    /// Everything but tables is beside the data, for the reason given at PostgreSQL.
    fn mariadb_files(&self) -> Vec<String> {
        let home = self.home.path().display();
        let folders = [
            "innodb-data-home-dir",
            "innodb-log-group-home-dir",
            "innodb-undo-directory",
            "tmpdir",
        ];
        let mut files: Vec<String> = folders.iter().map(|it| format!("--{it}={home}")).collect();
        files.push("--innodb-log-file-size=4M".to_owned());
        files
    }

    /// Makes a standby of a PostgreSQL that is down, or what it was.
    pub fn stand_by(&self, on: bool) {
        let signal = self.data().join("standby.signal");
        if on {
            self.write("standby.signal", "");
            fs::rename(self.home.path().join("standby.signal"), signal).unwrap();
        } else {
            fs::remove_file(signal).unwrap();
        }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // PostgreSQL's own quick end also removes what it has in shared memory.
            let quit = format!("kill -QUIT {}", child.id());
            if self.server == Server::Postgres {
                drop(Command::new("sh").args(["-c", &quit]).status());
            } else {
                drop(child.kill());
            }
            drop(child.wait());
        }
    }
}

/// Debian keeps servers where an ordinary user's PATH does not look.
fn search_path() -> String {
    let own = env::var("PATH").unwrap_or_default();
    format!("{own}:/usr/local/sbin:/usr/sbin:/sbin")
}

/// The folder of the programs of the server that the tests use.
pub fn postgres_programs() -> PathBuf {
    PathBuf::from(required("TENANTGATE_TEST_PG_BIN"))
}

/// Below the range of outgoing connections.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(15000..30000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
