//! Long answers, and connections that break.

use super::files::{self, Files, LENGTH, Then, content};
use super::world::{World, client};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const TAG: Option<&str> = Some("\"one\"");
const OTHER: Option<&str> = Some("\"other\"");
const HALF: usize = LENGTH / 2;

fn to_half() -> String {
    format!("bytes={HALF}-")
}

async fn get(url: &str, home: &Path, more: &[&str]) -> Output {
    client(home, &[&["get", url], more].concat()).output().await.unwrap()
}

#[tokio::test]
async fn the_rest_is_asked_for_where_a_connection_breaks_or_falls_silent() {
    for then in [Then::Break, Then::Silence] {
        let (files, home) = (Arc::new(Files::default()), tempfile::tempdir().unwrap());
        files.then(TAG, 0..HALF, then);
        files.then(TAG, HALF..LENGTH, Then::End);
        let url = files::open(Arc::clone(&files)).await;
        let output = get(&url, home.path(), &["--silence", "5"]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == content(), "{} bytes", output.stdout.len());
        let first = (String::new(), String::new());
        assert_eq!(*files.asked.lock(), [first, (to_half(), "\"one\"".to_owned())]);
    }
}

#[tokio::test]
async fn an_answer_may_take_longer_than_the_limit_of_silence() {
    // A machine that pauses is silent too, so it gets three tries with ever longer limits.
    let mut asked = Vec::new();
    for silence in [1, 2, 4] {
        let (files, home) = (Arc::new(Files::default()), tempfile::tempdir().unwrap());
        files.then(TAG, 0..HALF, Then::Slow(Duration::from_millis(200 * silence)));
        files.then(OTHER, 0..LENGTH, Then::End);
        let url = files::open(Arc::clone(&files)).await;
        let begun = Instant::now();
        let output = get(&url, home.path(), &["--silence", &silence.to_string()]).await;
        asked.push(files.asked.lock().len());
        if asked.ends_with(&[1]) {
            assert!(output.status.success() && output.stdout == content());
            assert!(begun.elapsed() > Duration::from_secs(silence));
            return;
        }
    }
    panic!("an answer that kept coming was cut: {asked:?} requests");
}

#[tokio::test]
async fn a_server_that_sends_no_parts_is_read_again() {
    let (files, home) = (Arc::new(Files::default()), tempfile::tempdir().unwrap());
    files.then(TAG, 0..HALF, Then::Break);
    files.then(TAG, 0..LENGTH, Then::End);
    let output = get(&files::open(files).await, home.path(), &[]).await;
    assert!(output.status.success() && output.stdout == content());
}

#[tokio::test]
async fn two_answers_are_never_made_into_one() {
    // Another file now, complete; without a tag; with a weak tag.
    let weak = Some("W/\"one\"");
    for (first, second, code) in [(TAG, OTHER, 1), (None, None, 5), (weak, weak, 5)] {
        let (files, home) = (Arc::new(Files::default()), tempfile::tempdir().unwrap());
        files.then(first, 0..HALF, Then::Break);
        files.then(second, 0..LENGTH, Then::End);
        let url = files::open(Arc::clone(&files)).await;
        let path = home.path().join("file");
        let output = get(&url, home.path(), &["--output", path.to_str().unwrap()]).await;
        assert_eq!(output.status.code(), Some(code), "{first:?}");
        assert!(!path.exists(), "{first:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("broke off") && said.contains("file.part"), "{said}");
        assert_eq!(std::fs::read(path.with_extension("part")).unwrap(), content()[..HALF], "{first:?}");
    }
}

#[tokio::test]
async fn an_answer_is_written_as_it_comes_and_named_when_it_is_all_there() {
    let (files, home, released) = (Arc::new(Files::default()), tempfile::tempdir().unwrap(), Arc::new(Notify::new()));
    files.then(TAG, 0..HALF, Then::Wait(Arc::clone(&released)));
    let url = files::open(files).await;
    let (path, part) = (home.path().join("file"), home.path().join("file.part"));
    let arguments = ["get", &url, "--json", "--output", path.to_str().unwrap()];
    let mut running = client(home.path(), &arguments).spawn().unwrap();
    // The server waits: the bytes that it has sent are in this file and nowhere else.
    while std::fs::metadata(&part).map_or(0, |part| part.len()) < HALF as u64 {
        assert!(running.try_wait().unwrap().is_none(), "it waits");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!path.exists());
    released.notify_one();
    let output = running.wait_with_output().await.unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said["status"].as_u64(), said["bytes"].as_u64()), (Some(200), Some(LENGTH as u64)));
    assert!(std::fs::read(&path).unwrap() == content() && !part.exists());
}

#[tokio::test]
async fn the_rest_costs_one_request_and_no_money() {
    let mut world = World::new().await;
    let files = Arc::clone(&world.shared.files);
    files.then(TAG, 0..HALF, Then::Break);
    files.then(TAG, HALF..LENGTH, Then::End);
    assert!(world.get().await.unwrap().stdout == content());
    assert_eq!((world.paid(), files.asked.lock().len()), (1, 2));

    // The token has no request left, and the rest is not bought.
    *world.shared.left.lock() = 1;
    files.then(TAG, 0..HALF, Then::Break);
    let output = world.get().await.unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((world.paid(), output.stdout.len()), (1, HALF));
}

/// Fetches the whole content, and returns what the client printed.
async fn get_whole(home: &Path, output: &str) -> Output {
    let files = Arc::new(Files::default());
    files.then(TAG, 0..LENGTH, Then::End);
    get(&files::open(files).await, home, &["--output", output]).await
}

#[tokio::test]
async fn nothing_but_the_named_file_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    // Somebody else's file, and a name that leads elsewhere.
    std::fs::write(at("file.part"), "mine").unwrap();
    std::fs::create_dir(at("far")).unwrap();
    std::fs::write(at("far/there"), "old").unwrap();
    for (link, to) in [("link", "far/there"), ("new", "far/new"), ("loop", "loop")] {
        std::os::unix::fs::symlink(to, at(link)).unwrap();
    }
    for (output, written) in [("file", "file"), ("link", "far/there"), ("new", "far/new")] {
        let answer = get_whole(home.path(), at(output).to_str().unwrap()).await;
        assert!(answer.status.success(), "{output}: {}", String::from_utf8_lossy(&answer.stderr));
        assert!(std::fs::read(at(written)).unwrap() == content(), "{output}");
    }
    assert_eq!(std::fs::read(at("file.part")).unwrap(), b"mine");
    for link in ["link", "new"] {
        assert!(at(link).symlink_metadata().unwrap().is_symlink(), "{link} is a link still");
    }
    for wrong in ["loop", "far", "missing/file"] {
        let answer = get_whole(home.path(), at(wrong).to_str().unwrap()).await;
        assert_eq!(answer.status.code(), Some(1), "{wrong}");
    }
    let mut left: Vec<_> = std::fs::read_dir(at("far")).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["new", "there"], "nothing is left beside them");
}

#[tokio::test]
async fn devices_pipes_and_standard_output_receive_what_arrives() {
    let home = tempfile::tempdir().unwrap();
    let answer = get_whole(home.path(), "-").await;
    assert!(answer.status.success() && answer.stdout == content());
    assert!(get_whole(home.path(), "/dev/null").await.status.success());
    let pipe = home.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = tokio::task::spawn_blocking({
        let pipe = pipe.clone();
        move || std::fs::read(pipe).unwrap()
    });
    assert!(get_whole(home.path(), pipe.to_str().unwrap()).await.status.success());
    assert!(reader.await.unwrap() == content());
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&pipe.metadata().unwrap().file_type()), "it is a pipe still");
}

#[tokio::test]
async fn a_new_file_follows_the_umask_and_a_replaced_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    std::fs::write(at("like"), "").unwrap();
    std::fs::write(at("shared"), "").unwrap();
    std::fs::set_permissions(at("shared"), std::fs::Permissions::from_mode(0o660)).unwrap();
    for name in ["new", "shared"] {
        assert!(get_whole(home.path(), at(name).to_str().unwrap()).await.status.success());
    }
    let mode = |name: &str| at(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("new"), mode("shared")), (mode("like"), 0o660));
}

#[tokio::test]
async fn a_part_that_was_not_asked_for_is_no_answer() {
    for to in ["file", "-"] {
        let (files, home) = (Arc::new(Files::default()), tempfile::tempdir().unwrap());
        files.then(TAG, HALF..LENGTH, Then::End);
        let path = if to == "-" { to.into() } else { home.path().join(to) };
        let url = files::open(files).await;
        let output = get(&url, home.path(), &["--output", path.to_str().unwrap()]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("206"), "{to}: {said}");
        assert!(output.stdout.is_empty() && !path.exists(), "{to}");
    }
}
