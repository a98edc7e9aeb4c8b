//! Where each package stands in a picture of the graph: a column for each layer, the packages of the workspace at the left.

use crate::graph::Graph;
use crate::models::Package;

const ROW: f64 = 20.0;
/// Of a letter of a label, about.
const LETTER: f64 = 6.3;
/// Between the labels of a column and the circles of the next.
const GAP: f64 = 48.0;
/// Around the picture.
const MARGIN: f64 = 20.0;

/// A picture of the graph, in pixels.
pub(crate) struct Picture {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The middle of each package's circle.
    pub(crate) places: Vec<Place>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Picture {
    pub(crate) fn new(packages: &[Package], graph: &Graph) -> Picture {
        let mut starts: Vec<usize> = (0..packages.len()).filter(|at| packages[*at].in_workspace).collect();
        starts.sort_by_key(|at| graph.dependents(*at).len());
        let layers = graph.layers(&starts);
        let mut columns = vec![Vec::new(); layers.iter().max().map_or(0, |last| last + 1)];
        for (at, layer) in layers.iter().enumerate() {
            columns[*layer].push(at);
        }
        let mut places = vec![Place::default(); packages.len()];
        let mut x = MARGIN;
        for column in &columns {
            stack(column, &mut places);
            let longest = column.iter().map(|at| packages[*at].label().chars().count()).max().unwrap_or_default();
            for at in column {
                places[*at].x = x;
            }
            x += longest as f64 * LETTER + GAP;
        }
        untangle(&mut columns, graph, &mut places);

        let tallest = columns.iter().map(Vec::len).max().unwrap_or_default();
        let height = tallest as f64 * ROW + 2.0 * MARGIN;
        for place in &mut places {
            place.y += height / 2.0;
        }
        Picture { width: x + MARGIN, height, places }
    }
}

/// Puts the packages of a column below one another, around 0.
fn stack(column: &[usize], places: &mut [Place]) {
    for (row, at) in column.iter().enumerate() {
        places[*at].y = (row as f64 - (column.len() - 1) as f64 / 2.0) * ROW;
    }
}

/// Orders each column by the mean height of a package's neighbours in the columns before it, then in those after it, and
/// so on. That leaves few edges that cross, and each round costs a look at each edge. (Fewest crossings are another
/// matter: to find them takes exponential time.)
fn untangle(columns: &mut [Vec<usize>], graph: &Graph, places: &mut [Place]) {
    let mean = |neighbours: &[usize], at: usize, places: &[Place]| match neighbours.len() {
        0 => places[at].y,
        count => neighbours.iter().map(|other| places[*other].y).sum::<f64>() / count as f64,
    };
    for _ in 0..6 {
        for column in columns.iter_mut() {
            column.sort_by(|one, other| {
                mean(graph.dependents(*one), *one, places).total_cmp(&mean(graph.dependents(*other), *other, places))
            });
            stack(column, places);
        }
        for column in columns.iter_mut().rev() {
            column.sort_by(|one, other| {
                mean(graph.required(*one), *one, places).total_cmp(&mean(graph.required(*other), *other, places))
            });
            stack(column, places);
        }
    }
}
