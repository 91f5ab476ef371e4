//! Styles of text in a terminal.

use clap::builder::styling::{AnsiColor, Reset, Style};

pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const STRONG: Style = Style::new().bold();
pub const PLAIN: Reset = Reset;
