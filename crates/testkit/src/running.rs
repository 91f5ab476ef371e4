//! Real programs that tests start.

use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};

/// A child process that is killed when this is dropped, also if a test panics.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts a program.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::Stdio;

    #[test]
    fn a_panic_leaves_no_program_behind() {
        let mut running =
            Running::start(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped())).expect("cat");
        let mut output = running.stdout.take().expect("its output");
        // Its input stays open here: only a signal ends it.
        let input = running.stdin.take();
        let failed = std::thread::spawn(move || {
            let _held = running;
            panic!("a test fails");
        });
        assert!(failed.join().is_err());
        assert_eq!(output.read_to_end(&mut Vec::new()).expect("the end of its output"), 0);
        drop(input);
    }
}
