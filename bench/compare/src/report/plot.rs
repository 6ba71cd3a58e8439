//! One bar chart a row, quartiles as whiskers.

use std::path::Path;

use plotters::prelude::*;

use crate::results::{Row, Spread};
use crate::store::Result;

const SIZE: (u32, u32) = (760, 300);
const ENGINE_COLOR: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const PEER_COLOR: RGBColor = RGBColor(0xa8, 0xb4, 0xbf);

/// Writes a plot for each row that has something to show, and answers their names.
///
/// # Errors
/// The file system's.
pub fn write(rows: &[Row], out: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for row in rows {
        let bars: Vec<_> = row
            .cells
            .iter()
            .filter_map(|cell| Some((cell.peer.as_str(), Spread::of(&cell.samples)?)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        let name = format!("{}.svg", file_stem(&row.name));
        let path = out.join(&name);
        draw(row, &bars, &path).map_err(|error| format!("{}: {error}", path.display()))?;
        names.push(name);
    }
    Ok(names)
}

/// Letters and digits, hyphens between them.
fn file_stem(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn draw(
    row: &Row,
    bars: &[(&str, Spread)],
    path: &Path,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let most = bars.iter().map(|(_, spread)| spread.high).fold(f64::MIN_POSITIVE, f64::max);
    let count = i32::try_from(bars.len())?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{} ({})", row.name, row.unit), ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(130)
        .build_cartesian_2d(0.0..most * 1.05, (0..count - 1).into_segmented())?;
    // The first one on top.
    let label = |at: &SegmentValue<i32>| match at {
        SegmentValue::CenterOf(at) => {
            bars[usize::try_from(count - 1 - at).unwrap_or(0)].0.to_owned()
        }
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(bars.len())
        .y_label_formatter(&label)
        .x_label_formatter(&|value| super::number(*value))
        .x_labels(6)
        .draw()?;
    for (at, (name, Spread { median, low, high })) in (0..count).rev().zip(bars) {
        let color = if *name == "EntiDB" { ENGINE_COLOR } else { PEER_COLOR };
        let (below, middle) = (SegmentValue::Exact(at), SegmentValue::CenterOf(at));
        let above = SegmentValue::Exact(at + 1);
        let mut bar = Rectangle::new([(0.0, below), (*median, above)], color.filled());
        bar.set_margin(4, 4, 0, 0);
        let whisker = PathElement::new([(*low, middle.clone()), (*high, middle)], BLACK);
        chart.draw_series([bar])?;
        chart.draw_series([whisker])?;
    }
    root.present()?;
    Ok(())
}
