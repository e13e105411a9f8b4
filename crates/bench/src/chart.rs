//! The report as charts (SVG): ratios as bars, and costs against the number of fds, tasks or connections.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::{Report, Row};
use crate::unit::{Unit, three_digits};

const NATIVE: RGBColor = RGBColor(110, 110, 110);
const BETTER: RGBColor = RGBColor(38, 122, 70);
const WORSE: RGBColor = RGBColor(190, 74, 44);
/// Room for the titles at the left of the bars.
const TITLES: i32 = 330;
const BAR: i32 = 18;
const WIDTH: u32 = 900;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes all charts into `directory`; the names of the files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(report: &Report, directory: &Path) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(directory)?;
    let mut names = Vec::new();
    for group in report.groups() {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.group == group && row.comparison().is_some()).collect();
        if !rows.is_empty() {
            names.push(save(directory, &format!("ratios-{group}"), &bars(group, &rows)?)?);
        }
    }
    for (name, rows) in scaling(report) {
        names.push(save(directory, &format!("cost-{name}"), &curves(name, &rows)?)?);
    }
    Ok(names)
}

fn save(directory: &Path, name: &str, svg: &str) -> anyhow::Result<String> {
    let name = format!("{name}.svg");
    fs::write(directory.join(&name), svg)?;
    Ok(name)
}

/// The workloads with an axis and at least one line along it.
fn scaling(report: &Report) -> BTreeMap<&str, Vec<&Row>> {
    let mut workloads: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in report.rows.iter().filter(|row| row.axis.is_some() && row.comparison().is_some()) {
        workloads.entry(&row.name).or_default().push(row);
    }
    workloads
        .retain(|_, rows| rows.first().and_then(|row| row.axis.as_deref()).is_some_and(|axis| !lines(rows, axis).is_empty()));
    workloads
}

/// One bar for each row, on a logarithmic scale around 1: to the left is cheaper than native.
fn bars(group: &str, rows: &[&Row]) -> anyhow::Result<String> {
    let height = 70 + BAR * i32::try_from(rows.len())?;
    let costs: Vec<f64> = rows.iter().map(|row| cost(row)).collect();
    let reach = costs.iter().map(|cost| cost.log10().abs()).fold(1.0, f64::max).ceil();
    let room = f64::from(i32::try_from(WIDTH)? - TITLES - 60);
    let place = |cost: f64| TITLES + ((cost.log10().clamp(-reach, reach) + reach) / (2.0 * reach) * room) as i32;

    draw(WIDTH, height.unsigned_abs(), |area| {
        let title = format!("{group}: cost under acrida as a multiple of native's");
        text(area, &title, 10, 10, 16)?;
        for decade in -(reach as i32)..=reach as i32 {
            let x = place(10f64.powi(decade));
            let shade = if decade == 0 { NATIVE } else { RGBColor(225, 225, 225) };
            area.draw(&PathElement::new([(x, 45), (x, height - 15)], shade)).map_err(drawing)?;
            text(area, &three_digits(10f64.powi(decade)), x - 10, 32, 11)?;
        }
        for (index, (row, cost)) in rows.iter().zip(&costs).enumerate() {
            let top = 50 + BAR * i32::try_from(index)?;
            let (from, to) = (place(1.0).min(place(*cost)), place(1.0).max(place(*cost)));
            let colour = if *cost <= 1.0 { BETTER } else { WORSE };
            area.draw(&Rectangle::new([(from, top), (to, top + BAR - 5)], colour.filled())).map_err(drawing)?;
            text(area, &row.title, 10, top, 12)?;
            // At the end that points away from 1.
            let label = if *cost <= 1.0 { from - 34 } else { to + 4 };
            text(area, &three_digits(*cost), label, top, 11)?;
        }
        Ok(())
    })
}

/// Figures against the axis, both logarithmic; a pair of lines for each choice of the other arguments.
fn curves(name: &str, rows: &[&Row]) -> anyhow::Result<String> {
    let axis = rows.first().and_then(|row| row.axis.as_deref()).ok_or_else(|| anyhow!("{name} has no axis"))?;
    let lines = lines(rows, axis);
    let points = || lines.values().flatten();
    let (left, right) = bounds(points().map(|point| point.at));
    // Whole decades: their ends are where the axis has its figures.
    let (bottom, top) = bounds(points().flat_map(|point| [point.native, point.acrida]));
    let lowest = bottom.log10().floor();
    let highest = top.log10().ceil().max(lowest + 1.0);
    let (bottom, top) = (10f64.powf(lowest), 10f64.powf(highest));
    let unit = rows.first().map_or(Unit::Nanoseconds, |row| row.unit);

    draw(WIDTH, 480, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption(format!("{name}: cost against {axis}"), ("sans-serif", 16))
            .margin(24)
            .x_label_area_size(36)
            .y_label_area_size(70)
            .build_cartesian_2d((left..right).log_scale(), (bottom..top).log_scale())
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .x_desc(axis)
            .light_line_style(WHITE)
            .y_label_formatter(&|value| unit.format(*value))
            .x_label_formatter(&|value| format!("{value:.0}"))
            .draw()
            .map_err(drawing)?;
        for (index, (label, points)) in lines.iter().enumerate() {
            let colour = Palette99::pick(index).to_rgba();
            let native: Vec<_> = points.iter().map(|point| (point.at, point.native)).collect();
            let acrida: Vec<_> = points.iter().map(|point| (point.at, point.acrida)).collect();
            for (side, width, line) in [("native", 1, native), ("acrida", 3, acrida)] {
                let style = colour.stroke_width(width);
                chart
                    .draw_series(LineSeries::new(line, style))
                    .map_err(drawing)?
                    .label(format!("{side} {label}"))
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(NATIVE)
            .draw()
            .map_err(drawing)
    })
}

struct Point {
    at: f64,
    native: f64,
    acrida: f64,
}

fn lines(rows: &[&Row], axis: &str) -> BTreeMap<String, Vec<Point>> {
    let mut lines: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for row in rows {
        let Some(at) = row.arguments.get(axis).and_then(|at| at.parse().ok()) else {
            continue;
        };
        let Some(comparison) = row.comparison() else {
            continue;
        };
        let others = row.arguments.iter().filter(|(name, _)| *name != axis);
        let label: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
        lines.entry(label.join(" ")).or_default().push(Point {
            at,
            native: comparison.native.spread.median,
            acrida: comparison.acrida.spread.median,
        });
    }
    lines.retain(|_, points| points.len() > 1);
    lines
}

fn cost(row: &Row) -> f64 {
    row.comparison().map_or(1.0, |comparison| row.unit.cost(comparison.ratio.median))
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)))
}

fn draw(width: u32, height: u32, content: impl Fn(&Area<'_>) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        content(&area)?;
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

fn text(area: &Area<'_>, words: &str, x: i32, y: i32, size: i32) -> anyhow::Result<()> {
    area.draw(&Text::new(words.to_owned(), (x, y), ("sans-serif", size))).map_err(drawing)
}

/// The backend's error borrows what is drawn on.
fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("drawing a chart: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{report, row};

    #[test]
    fn ratios_and_costs_are_drawn() {
        let rows = vec![
            row("calls", "getppid", "", 100.0, 10.0, None),
            row("events", "epoll_fds", "fds=1 active=1", 100.0, 20.0, None),
            row("events", "epoll_fds", "fds=1000 active=1", 100.0, 21.0, None),
        ];
        let directory = tempfile::tempdir().unwrap();
        let names = write(&report(rows), directory.path()).unwrap();
        assert_eq!(names, ["ratios-calls.svg", "ratios-events.svg", "cost-epoll_fds.svg"]);
        let curves = fs::read_to_string(directory.path().join("cost-epoll_fds.svg")).unwrap();
        assert!(curves.starts_with("<svg") && curves.contains("acrida active=1"));
        let bars = fs::read_to_string(directory.path().join("ratios-calls.svg")).unwrap();
        assert!(bars.contains("getppid") && bars.contains("0.10"));
    }
}
