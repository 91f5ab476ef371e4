//! The table: every figure with the limit that was measured in the same run.

use crate::machine;

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub name: String,
    pub measured: String,
    pub limit: String,
    pub ratio: String,
    pub target: String,
    pub met: Met,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    No,
    /// There is no target, or nothing was measured.
    Open,
}

impl From<bool> for Met {
    fn from(met: bool) -> Self {
        if met { Self::Yes } else { Self::No }
    }
}

impl Row {
    /// Creates a row without a target.
    pub(crate) fn new(name: &str, measured: String) -> Self {
        let none = String::new;
        Self { name: name.to_owned(), measured, limit: none(), ratio: none(), target: none(), met: Met::Open }
    }

    pub(crate) fn skipped(name: &str, why: &str) -> Self {
        Self::new(name, format!("not measured: {why}"))
    }

    /// Creates a row whose value has a maximum.
    pub(crate) fn at_most(name: &str, value: f64, most: f64, shown: impl Fn(f64) -> String) -> Self {
        let mut row = Self::new(name, shown(value));
        row.target = format!("<= {}", shown(most));
        row.met = (value <= most).into();
        row
    }

    /// Adds the rate that bounds the measured one.
    #[must_use]
    pub(crate) fn beside(mut self, limit: String, ratio: f64) -> Self {
        self.limit = limit;
        self.ratio = format!("{ratio:.2}");
        self
    }

    /// Sets the minimum of the ratio to the limit.
    #[must_use]
    pub(crate) fn at_least(mut self, ratio: f64, least: f64) -> Self {
        self.target = format!("ratio >= {least}");
        self.met = (ratio >= least).into();
        self
    }
}

const HEAD: [&str; 6] = ["what", "measured", "limit in the same run", "ratio", "target", "met"];

pub(crate) fn print(names: &[String], rows: &[Row]) {
    println!(
        "\nmake bench{}",
        if names.is_empty() { String::new() } else { format!(" MEASURE=\"{}\"", names.join(" ")) }
    );
    println!("{} x {}, {}\n", machine::cores(), machine::cpu_model(), machine::load());
    let cells: Vec<[String; 6]> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let widths = cells.iter().filter_map(|row| row.get(column)).filter(|text| !text.starts_with("not measured"));
        widths.map(|text| text.chars().count()).chain(HEAD.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String]| {
        let padded = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}"));
        println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(&HEAD.map(str::to_owned));
    line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
    for row in &cells {
        line(row);
    }
}

/// Prints a row as soon as it is measured, because the table is printed at the end, after minutes.
pub(crate) fn report_row(row: &Row) {
    eprintln!("  {}", cells(row).join("  ").trim_end());
}

fn cells(row: &Row) -> [String; 6] {
    let met = match row.met {
        Met::Yes => "yes",
        Met::No => "NO",
        Met::Open => "",
    };
    let Row { name, measured, limit, ratio, target, .. } = row.clone();
    [name, measured, limit, ratio, target, met.to_owned()]
}

/// Returns the median; for an even number the lower one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The rounds of a comparison: a figure and the limit that was measured right before it.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Vec<(f64, f64)>);

impl Rounds {
    pub(crate) fn push(&mut self, figure: f64, limit: f64) {
        self.0.push((figure, limit));
    }

    /// Returns the figure and the limit of the round with the median ratio, for an even number the lower one. The median
    /// figures of all rounds may belong to two different rounds, and would not give the ratio beside them.
    pub(crate) fn median(&self) -> (f64, f64) {
        let mut sorted = self.0.clone();
        sorted.sort_by(|(a, b), (c, d)| (a / b).total_cmp(&(c / d)));
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or((f64::NAN, f64::NAN))
    }
}

/// Converts a count for arithmetic.
pub(crate) fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}

pub(crate) fn per_second(rate: f64) -> String {
    if rate < 1000.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }
}

pub(crate) fn milliseconds(ms: f64) -> String {
    format!("{ms:.1} ms")
}

/// Formats megabytes of a million bytes.
pub(crate) fn megabytes(mb: f64) -> String {
    format!("{mb:.1} MB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_row_are_those_of_the_round_with_the_median_ratio() {
        let mut rounds = Rounds::default();
        for (figure, limit) in [(10.0, 100.0), (30.0, 60.0), (50.0, 50.0)] {
            rounds.push(figure, limit);
        }
        assert_eq!(rounds.median(), (30.0, 60.0));
        assert!(Rounds::default().median().0.is_nan());
    }
}
