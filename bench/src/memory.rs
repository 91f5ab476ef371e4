//! Memory of the release program: idle, after a page, and under many logins at once.

use crate::client::Client;
use crate::program::{Program, Running};
use crate::table::{Row, count, megabytes};
use crate::visitor::{Visitor, new_address};
use crate::{load, machine};
use anyhow::{Result, ensure};
use std::time::Duration;
use wire::paths;

const IDLE_MB: f64 = 25.0;
const LOADED_MB: f64 = 40.0;
/// Memory of one hash, which each hash thread keeps.
const HASH_MB: f64 = 19.0 * 1024.0 * 1024.0 / 1e6;
const AT_ONCE: usize = 64;
const LOGINS_EACH: usize = 5;
/// Time after which the memory of a start or a request has been released.
const SETTLE: Duration = Duration::from_secs(1);

pub(crate) fn measure() -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let program = Program::set_up(folder.path())?;
    // The first start makes keys; the measured one is an ordinary start.
    program.start()?.stop()?;
    let running = program.start()?;
    let idle = settled(&running)?;
    load::runtime()?.block_on(view_page(&running))?;
    let viewed = settled(&running)?;
    load::runtime()?.block_on(sign_in(&running))?;
    let peak = machine::memory_mb(running.pid(), "VmHWM")?;
    let after = settled(&running)?;
    running.stop()?;
    let most = LOADED_MB + HASH_MB * count(machine::cores());
    Ok(vec![
        Row::at_most("memory, idle", idle, IDLE_MB, megabytes),
        Row::at_most("memory, after one view of /login", viewed, IDLE_MB, megabytes),
        Row::at_most(&format!("memory, peak with {AT_ONCE} logins at once"), peak, most, megabytes),
        Row::new("memory, a second after those", megabytes(after)),
    ])
}

fn settled(running: &Running) -> Result<f64> {
    std::thread::sleep(SETTLE);
    machine::memory_mb(running.pid(), "VmRSS")
}

/// Loads the page and every file that it names.
async fn view_page(running: &Running) -> Result<()> {
    let mut client = Client::connect(new_address(), running.place.address).await?;
    let page = client.get(paths::LOGIN_PAGE, &[("accept", "text/html")]).await?;
    let html = String::from_utf8_lossy(&page.body);
    let files: Vec<&str> =
        html.split('"').filter(|text| text.starts_with("/pkg/") || *text == "/favicon.svg").collect();
    ensure!(files.len() >= 4, "the page names no files: {html}");
    for file in files {
        let file = file.trim_end_matches('\\');
        let answer = client.get(file, &[("accept-encoding", "br")]).await?;
        ensure!(answer.status.is_success(), "{file}: {}", answer.status);
    }
    Ok(())
}

async fn sign_in(running: &Running) -> Result<()> {
    let place = running.place.clone();
    let arrive = move |()| {
        let place = place.clone();
        async move { Visitor::arrive(&place, LOGINS_EACH).await }
    };
    let visitors = load::concurrent_tasks(AT_ONCE, vec![(); AT_ONCE], arrive).await?;
    let use_up = |mut visitor: Visitor| async move {
        while visitor.sign_in().await?.is_some() {}
        Ok(())
    };
    load::concurrent_tasks(AT_ONCE, visitors, use_up).await.map(drop)
}
