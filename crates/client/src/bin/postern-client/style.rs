//! Styles of text in a terminal.

use clap::builder::styling::{AnsiColor, Reset, Style};

pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const PLAIN: Reset = Reset;
