//! QR codes as SVG.

use fast_qr::{ECL, QRBuilder};
use std::fmt::Write;

/// Width of the quiet zone in modules (ISO/IEC 18004, section 6.3.8).
const QUIET: usize = 4;

/// Draws dark squares on white, in both themes, as cameras require. `None`: the text is too long.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut squares = String::new();
    for y in 0..code.size {
        for x in (0..code.size).filter(|&x| code[y][x].value()) {
            let _ = write!(squares, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let side = code.size + 2 * QUIET;
    let label = domain::html::escaped(label);
    Some(format!(
        "<svg class=\"code\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{squares}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders the picture with four points for each square.
    fn read(svg: &str) -> String {
        let side: usize =
            svg.split("viewBox=\"0 0 ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a side");
        let squares = svg.rsplit("d=\"").next().expect("squares");
        let mut dark = std::collections::HashSet::new();
        for square in squares.split('M').skip(1) {
            let (x, rest) = square.split_once(' ').expect("a square");
            let y = rest.split('h').next().expect("a square");
            dark.insert((x.parse::<usize>().expect("x"), y.parse::<usize>().expect("y")));
        }
        let shade = |x: usize, y: usize| if dark.contains(&(x / 4, y / 4)) { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * 4, side * 4, shade);
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().expect("decoded").1
    }

    #[test]
    fn a_camera_reads_what_was_written() {
        let address = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
        for text in ["x".to_owned(), format!("monero:{address}?tx_amount=0.002")] {
            assert_eq!(read(&svg(&text, "Pay").expect("a code")), text);
        }
        assert_eq!(svg(&"x".repeat(5000), "Pay"), None);
    }
}
