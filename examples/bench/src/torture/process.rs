//! How is the server started, killed and stopped, and what does it say? Not here: when (`lives`).

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::measure::now;

/// How long a stop that is asked for may take.
const STOP_MAX: Duration = Duration::from_secs(60);

/// How the server is started.
#[derive(Debug)]
pub(super) struct Program {
    /// The binary.
    pub(super) binary: PathBuf,
    /// The journeys.
    pub(super) journeys: PathBuf,
    /// The state directory.
    pub(super) state: PathBuf,
    /// The file that says how wrong its clock is.
    pub(super) shift: PathBuf,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// A server under way; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    stderr: Option<JoinHandle<Vec<String>>>,
    listening: Receiver<()>,
}

/// How a server ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status.
    pub(super) status: ExitStatus,
    /// What it told people.
    pub(super) told: String,
}

impl Program {
    /// Starts it, with a limit on its files in units of the shell's if there is one.
    pub(super) fn start(&self, file_limit: Option<u64>) -> anyhow::Result<Server> {
        let mut command = match file_limit {
            None => Command::new(&self.binary),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script]).arg(&self.binary);
                shell
            }
        };
        command
            .arg("serve")
            .arg("--listen")
            .arg(self.address.to_string())
            .arg("--journeys")
            .arg(&self.journeys)
            .arg("--state")
            .arg(&self.state)
            .env("WAYFARE_CLOCK_SHIFT", &self.shift)
            .env_remove("WAYFARE_LOG")
            .env_remove("WAYFARE_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.binary.display()))?;
        let stderr = child.stderr.take().context("stderr was asked for")?;
        let (heard, listening) = channel();
        let reader = std::thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line.starts_with("listening on ") {
                    // Nobody waits for it when the server is killed early.
                    let _unheard = heard.send(());
                }
                lines.push(line);
            }
            lines
        });
        Ok(Server {
            child,
            stderr: Some(reader),
            listening,
        })
    }

    /// What a command that looks inside says, line by line.
    pub(super) fn look(&self, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
        let output = self.command(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "`wayfare {}` ended with {}: {said}",
            arguments.join(" "),
            output.status
        );
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// What `wayfare verify` says of the state; nothing when this binary has no such command.
    pub(super) fn verify(&self) -> anyhow::Result<Option<Result<(), String>>> {
        let help = Command::new(&self.binary)
            .args(["help", "verify"])
            .output()?;
        if !help.status.success() {
            return Ok(None);
        }
        let mut verify = Command::new(&self.binary);
        verify.arg("verify").arg("--state").arg(&self.state);
        let output = verify.env("WAYFARE_JOURNEYS", &self.journeys).output()?;
        if output.status.success() {
            return Ok(Some(Ok(())));
        }
        let said = [output.stdout, output.stderr].concat();
        Ok(Some(Err(String::from_utf8_lossy(&said).into_owned())))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .arg("--journeys")
            .arg(&self.journeys)
            .arg("--state")
            .arg(&self.state)
            .env_remove("WAYFARE_LOG")
            .env_remove("WAYFARE_CONFIG");
        command
    }
}

impl Server {
    /// Waits until it listens; how long that took, or how it ended instead.
    pub(super) fn listening(
        &mut self,
        patience: Duration,
    ) -> anyhow::Result<Result<Duration, Ended>> {
        let begun = now();
        match self.listening.recv_timeout(patience) {
            Ok(()) => Ok(Ok(begun.elapsed())),
            Err(RecvTimeoutError::Disconnected) => Ok(Err(self.end()?)),
            Err(RecvTimeoutError::Timeout) => bail!("it does not listen after {patience:?}"),
        }
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<Ended>> {
        match self.child.try_wait()? {
            None => Ok(None),
            Some(_) => Ok(Some(self.end()?)),
        }
    }

    /// Kills it: SIGKILL, which no process can hear coming. How it ended, if it was over before.
    pub(super) fn kill(&mut self) -> anyhow::Result<Option<Ended>> {
        self.child.kill()?;
        let ended = self.end()?;
        Ok(ended.status.code().is_some().then_some(ended))
    }

    /// Asks it to stop and waits until it has.
    pub(super) fn stop(&mut self) -> anyhow::Result<Ended> {
        let id = i32::try_from(self.child.id())?;
        let id = rustix::process::Pid::from_raw(id).context("a process has an id")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let begun = now();
        loop {
            if let Some(ended) = self.ended()? {
                return Ok(ended);
            }
            ensure!(begun.elapsed() < STOP_MAX, "it does not stop");
            super::pace::pause(Duration::from_millis(5));
        }
    }

    fn end(&mut self) -> anyhow::Result<Ended> {
        let status = self.child.wait()?;
        let told = match self.stderr.take().map(JoinHandle::join) {
            Some(Ok(lines)) => lines.join("\n"),
            Some(Err(_)) => bail!("the thread that reads stderr failed"),
            None => String::new(),
        };
        Ok(Ended { status, told })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be over.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An address nobody listens on, below the ports that clients are given: a client that calls a server
/// which is down would now and then be given the server's own port, reach itself, and keep it.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    let first = 20_000 + std::process::id() % 10_000;
    let ports = (first..32_000).filter_map(|port| u16::try_from(port).ok());
    let bound = ports.map(|port| std::net::TcpListener::bind(("127.0.0.1", port)));
    let listener = bound.flatten().next().context("no port is free")?;
    Ok(listener.local_addr()?)
}

/// The last lines of what a server said.
pub(super) fn last_lines(told: &str) -> String {
    let lines: Vec<&str> = told.lines().rev().take(4).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    lines.join(" | ")
}

/// A directory on a disk of its own, when this process may mount one; it is there until dropped.
#[derive(Debug)]
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts a disk in memory of this many MiB; nothing where that is not allowed.
    pub(super) fn mount(at: &Path, mib: u64) -> Option<Self> {
        std::fs::create_dir(at).ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_path_buf()))
    }

    /// Leaves this many KiB free, the rest being taken by a file.
    pub(super) fn fill(&self, free_kib: u64) -> anyhow::Result<()> {
        let disk = rustix::fs::statvfs(&self.0)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let ballast = std::fs::File::create(self.ballast())?;
        let length = free.saturating_sub(free_kib * 1024);
        let mode = rustix::fs::FallocateFlags::empty();
        if length > 0 {
            rustix::fs::fallocate(ballast, mode, 0, length)?;
        }
        Ok(())
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        // It may not be filled.
        let _gone = std::fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still in use is let go with its last user.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
