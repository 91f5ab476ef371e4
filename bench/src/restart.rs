//! The time from the start of the program, on an existing data folder, to its first answer.

use crate::machine;
use crate::program::Program;
use crate::table::{Row, median, milliseconds};
use anyhow::Result;

const TARGET_MS: f64 = 100.0;
const TIMES: usize = 10;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let program = Program::set_up(folder.path())?;
    // The first start makes the keys.
    let first = program.start()?;
    let first_ms = first.first_answer.as_secs_f64() * 1000.0;
    first.stop()?;
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let running = program.start()?;
        times.push(running.first_answer.as_secs_f64() * 1000.0);
        running.stop()?;
    }
    let name = format!("restart to the first answer, median of {TIMES}");
    Ok(vec![
        Row::at_most(&name, median(&times), TARGET_MS, milliseconds),
        Row::new("first start of all, which makes the keys", milliseconds(first_ms)),
    ])
}
