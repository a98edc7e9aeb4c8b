//! A bar chart of ratios, as SVG.

use std::fmt::Write as _;

use super::report::{Line, Run};
use super::targets::Database;

const COLORS: [&str; 6] = ["#1b6ca8", "#4fa3d9", "#9ccbe8", "#d98e32", "#8c6bb1", "#7a7a7a"];

const BAR: f64 = 12.0;
const GAP: f64 = 18.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 60.0;
/// What is longer is cut off and says its number.
const LONGEST: f64 = 3.0;

/// One group of bars a workload, one bar a peer. A stroke across a bar is its target.
pub(super) fn chart(title: &str, run: &Run, database: Database, figure: impl Fn(&Line) -> Option<f64>) -> String {
    let peers: Vec<&str> = run.peers().into_iter().filter(|peer| *peer != "hand").collect();
    let workloads = run.workloads();
    let group = BAR * peers.len() as f64 + GAP;
    let width = LEFT + group * workloads.len() as f64 + GAP;
    let y = |ratio: f64| TOP + HEIGHT - ratio.min(LONGEST) / LONGEST * HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{title}</text>\n",
        TOP + HEIGHT + 30.0
    );
    // Writing to a String cannot fail.
    let mut place = LEFT;
    for (peer, color) in peers.iter().zip(COLORS) {
        let _ = writeln!(svg, "<rect x=\"{place}\" y=\"28\" width=\"10\" height=\"10\" fill=\"{color}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"37\">{peer}</text>", place + 14.0);
        place += 30.0 + 6.2 * peer.len() as f64;
    }
    for line in [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0] {
        let (color, at) = (if line == 1.0 { "#c0392b" } else { "#dddddd" }, y(line));
        let _ = writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{width}\" y1=\"{at}\" y2=\"{at}\" stroke=\"{color}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{line:.1}</text>", LEFT - 6.0, at + 4.0);
    }
    for (number, workload) in workloads.iter().enumerate() {
        let start = LEFT + GAP / 2.0 + group * number as f64;
        let middle = start + (group - GAP) / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{workload}</text>",
            TOP + HEIGHT + 18.0
        );
        for (place, (peer, color)) in peers.iter().zip(COLORS).enumerate() {
            let Some(ratio) = run.ratio(&figure, workload, peer) else { continue };
            let (x, top) = (start + BAR * place as f64, y(ratio));
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{top:.1}\" width=\"{}\" height=\"{:.1}\" fill=\"{color}\"><title>{peer} {workload}: {ratio:.2}</title></rect>",
                BAR - 2.0,
                TOP + HEIGHT - top
            );
            if ratio > LONGEST {
                let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" font-size=\"9\">{ratio:.1}</text>", top - 3.0);
            }
            if let Some(target) = database.target(peer, workload) {
                let at = y(target);
                let _ = writeln!(
                    svg,
                    "<line x1=\"{}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"black\" stroke-width=\"2\"/>",
                    x - 1.0,
                    x + BAR - 1.0
                );
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}
