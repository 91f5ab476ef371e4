//! Helpers that tests of several crates share.

mod running;

pub use running::Running;

use clap::{Arg, Command};
use std::net::Ipv4Addr;

/// Beginnings that ids, codes and hashes may have: base64url has the hyphen, and `h` and `V` are flags as well.
const HYPHENATED: [&str; 4] = ["-AbC_d", "--AbC", "-hV-x", "-"];

/// Returns a loopback address on which no other test listens. After a server on it has stopped, its port is refused.
pub fn own_loopback() -> Ipv4Addr {
    // Process ids have at most 22 bits.
    Ipv4Addr::from_bits(0x7F40_0000 | (std::process::id() & 0x003F_FFFF))
}

/// Lists the arguments of a program that take text and refuse a value that begins with a hyphen.
///
/// Each is tried through the program's own parser, as `command subcommand <name>` or `... --name`. Arguments of other
/// types than `String` are skipped: numbers, paths and lists of choices are never random.
pub fn refusing_hyphens(program: &Command) -> Vec<String> {
    let mut refusing = Vec::new();
    walk(program, program, &mut Vec::new(), &mut refusing);
    refusing
}

fn walk<'a>(program: &Command, at: &'a Command, path: &mut Vec<&'a str>, refusing: &mut Vec<String>) {
    for argument in at.get_arguments().filter(|argument| takes_text(argument)) {
        // An option may be required only where another is absent, so a line with every choice is tried as well.
        let is_taken =
            |value: &&str| [false, true].iter().any(|choices| takes(program, at, path, argument, value, *choices));
        if !HYPHENATED.iter().all(is_taken) {
            refusing.push([path.join(" "), label(argument)].join(" ").trim().to_owned());
        }
    }
    for below in at.get_subcommands() {
        path.push(below.get_name());
        walk(program, below, path, refusing);
        path.pop();
    }
}

fn takes_text(argument: &Arg) -> bool {
    argument.get_action().takes_values() && argument.get_value_parser().type_id() == std::any::TypeId::of::<String>()
}

fn label(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => format!("<{}>", argument.get_id()),
    }
}

fn takes(program: &Command, at: &Command, path: &[&str], wanted: &Arg, value: &str, choices: bool) -> bool {
    let mut line = vec![program.get_name().to_owned()];
    line.extend(path.iter().map(ToString::to_string));
    let before = |argument: &&Arg| match (argument.get_index(), wanted.get_index()) {
        (Some(index), Some(wanted)) => index < wanted,
        (_, None) | (None, _) => {
            argument.is_required_set()
                || choices && argument.get_action().takes_values() && !argument.get_possible_values().is_empty()
        }
    };
    for argument in at.get_arguments().filter(|argument| argument.get_id() != wanted.get_id()).filter(before) {
        line.extend(argument.get_long().map(|long| format!("--{long}")));
        let choices = argument.get_possible_values();
        line.push(choices.first().map_or("1", |choice| choice.get_name()).to_owned());
    }
    line.extend(wanted.get_long().map(|long| format!("--{long}")));
    line.push(value.to_owned());
    let Ok(matches) = program.clone().try_get_matches_from(line) else { return false };
    let mut leaf = &matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    let found = leaf.try_get_many::<String>(wanted.get_id().as_str()).ok().flatten();
    found.is_some_and(|mut found| found.any(|found| found == value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_refuses_is_listed_by_its_place() {
        let id = || Arg::new("id").required(true);
        let program = Command::new("program")
            .subcommand(Command::new("end").arg(id()).arg(Arg::new("why").long("why")))
            .subcommand(Command::new("open").arg(id().allow_hyphen_values(true)))
            .subcommand(Command::new("count").arg(id().value_parser(clap::value_parser!(u32))));
        assert_eq!(refusing_hyphens(&program), ["end <id>", "end --why"]);
    }
}
