//! Log lines with the id of their request.

use crate::request_id::RequestId;
use std::fmt;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Text, with `request{id=...}:` before the message.
#[derive(Debug)]
pub(super) struct TextFields(pub DefaultFields);

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        if let Some(id) = RequestId::current() {
            write!(writer, "request{{id={id}}}: ")?;
        }
        self.0.format_fields(writer, fields)
    }
}

/// An object of JSON from another format, with the request as its last member `span`.
#[derive(Debug)]
pub(super) struct JsonLine<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for JsonLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(id) = RequestId::current() else { return self.0.format_event(ctx, writer, event) };
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(open) => writeln!(writer, r#"{open},"span":{{"id":"{id}","name":"request"}}}}"#),
            None => writer.write_str(&line),
        }
    }
}
