//! Replays the fuzzer's first inputs, and its findings, through the same checks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn replay(name: &str) {
    // Some code under test catches panics, which would hide them here.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        print(panic);
    }));
    let mut files: Vec<_> = std::fs::read_dir(corpus().join(name)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no corpus");
    for file in files {
        println!("{}", file.display());
        fuzz_checks::run(name, &std::fs::read(&file).unwrap());
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{} makes something panic", file.display());
    }
}

macro_rules! replays {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { replay(stringify!($name)); })*

        #[test]
        fn every_target_is_replayed_and_has_a_program() {
            let replayed = [$(stringify!($name)),*];
            let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
            for (name, _) in fuzz_checks::TARGETS {
                assert!(replayed.contains(&name), "{name} is not replayed");
                assert!(programs.join(name).with_extension("rs").is_file(), "{name} has no program");
            }
        }
    };
}

replays!(
    challenge,
    cookies,
    dpop,
    envelope,
    forwarded,
    frames,
    identity,
    jwk,
    jwt,
    links,
    names,
    passkey,
    proof,
    proxy,
    requests,
    rules,
    sealed_values,
    settings,
    ticket,
    tpat_header,
    tpat_mac,
    transaction,
);
