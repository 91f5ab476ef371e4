//! Buying at the paid gate with the programs that people have, on a real chain: `postern demo --toll` and
//! `postern-client`, from the client's start to the paid answer. Most of it is the wallet's time.

use crate::machine;
use crate::program;
use crate::table::{Row, median};
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

const TARGET_S: f64 = 5.0;
const TIMES: usize = 5;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let client = program::binary()?.with_file_name("postern-client");
    ensure!(client.is_file(), "{} is not there: run make client", client.display());
    let mut demo = Demo::start(folder.path())?;
    let commands = demo.commands()?;
    let mut times = Vec::with_capacity(TIMES);
    for buyer in 0..TIMES {
        let home = folder.path().join(format!("buyer-{buyer}"));
        let run = |arguments: &[String]| {
            let mut command = Command::new(&client);
            command.env_clear().env("HOME", &home).env("XDG_CONFIG_HOME", &home).args(arguments).output()
        };
        ensure!(run(&commands.set)?.status.success(), "the wallet could not be named");
        let began = Instant::now();
        let bought = run(&commands.get)?;
        times.push(began.elapsed().as_secs_f64());
        ensure!(bought.status.success(), "{}", String::from_utf8_lossy(&bought.stderr));
    }
    let name = format!("buying on regtest, from the request to the paid answer, median of {TIMES}");
    Ok(vec![Row::at_most(&name, median(&times), TARGET_S, |seconds| format!("{seconds:.1} s"))])
}

struct Demo {
    child: Child,
    /// The demo's output, kept open because a program that writes to a closed pipe ends.
    says: BufReader<ChildStdout>,
}

/// The commands that the demo prints, without the program's name.
struct Commands {
    set: Vec<String>,
    get: Vec<String>,
}

impl Demo {
    fn start(folder: &Path) -> Result<Self> {
        let (portal, time, app) = (free_port()?, free_port()?, free_port()?);
        let settings = [
            format!("listen=127.0.0.1:{portal}"),
            format!("public_url=http://localhost:{portal}"),
            "operator.listen=off".to_owned(),
            "log.level=warn".to_owned(),
            format!("time.url=ws://localhost:{time}/time"),
            "time.tcp=".to_owned(),
            format!("apps=[{{ name = 'hello', origin = 'http://hello.localhost:{app}' }}]"),
            "toll.listen=127.0.0.1:0".to_owned(),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut child = Command::new(program::binary()?)
            .env_clear()
            .env("PATH", path)
            .current_dir(folder)
            .args(["demo", "--toll"])
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let says = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, says })
    }

    fn commands(&mut self) -> Result<Commands> {
        let mut next = || -> Result<Vec<String>> {
            loop {
                let mut line = String::new();
                ensure!(self.says.read_line(&mut line)? > 0, "the demo ended");
                let mut words = line.split_whitespace().map(str::to_owned);
                if words.next().is_some_and(|program| program.ends_with("postern-client")) {
                    return Ok(words.collect());
                }
            }
        };
        Ok(Commands { set: next()?, get: next()? })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // The kernel ends the child's own children with it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
