//! The programs that are compiled: their manifest, their lock and their sources, written anew each time.

use std::fs;
use std::path::{Path, PathBuf};

use super::{diesel, folder, ours, seaorm};
use crate::workspace::root;

/// Whose models a program has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Ours,
    Diesel,
    SeaOrm,
}

impl Library {
    pub(super) fn key(self) -> &'static str {
        match self {
            Library::Ours => "assoc",
            Library::Diesel => "diesel",
            Library::SeaOrm => "seaorm",
        }
    }

    // The package whose version is told.
    fn package(self) -> &'static str {
        match self {
            Library::Ours => "assoc-repo",
            Library::Diesel => "diesel",
            Library::SeaOrm => "sea-orm",
        }
    }

    /// Its version in the lock of the other benchmarks, which all programs take over.
    pub(super) fn version(self) -> Result<String, String> {
        version(&lock()?, self.package())
    }

    fn dependencies(self) -> Result<String, String> {
        match self {
            Library::Ours => Ok(ours::dependencies(root())),
            // The bundled SQLite that all programs compile.
            Library::Diesel => Ok(diesel::dependencies(&version(&lock()?, "libsqlite3-sys")?)),
            Library::SeaOrm => Ok(seaorm::dependencies()),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Library::Ours => ours::PROGRAM,
            Library::Diesel => diesel::PROGRAM,
            Library::SeaOrm => seaorm::PROGRAM,
        }
    }

    fn root_of_models(self, size: usize) -> String {
        match self {
            Library::Ours | Library::SeaOrm => modules(size),
            Library::Diesel => format!("{}{}", modules(size), diesel::tables_in_one_query(size)),
        }
    }

    fn model(self, place: &Place) -> String {
        match self {
            Library::Ours => ours::model(place) + &place.edited.function(),
            Library::Diesel => diesel::model(place) + &place.edited.function(),
            Library::SeaOrm => seaorm::model(place) + &place.edited.function(),
        }
    }
}

fn lock() -> Result<String, String> {
    let path = root().join("benches/peers/Cargo.lock");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn version(lock: &str, package: &str) -> Result<String, String> {
    let name = format!("name = \"{package}\"");
    let mut after = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = after.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| format!("the lock of the benchmarks has no `{package}`"))
}

fn modules(size: usize) -> String {
    (0..size).map(|number| format!("pub mod m{number};\n")).collect()
}

/// A model among others. It belongs to two before it, and has many of two behind it: the ends of a row lack some of them.
pub(super) struct Place {
    pub(super) number: usize,
    size: usize,
    /// What an edit changes.
    pub(super) edited: Edited,
}

/// A model's text between edits.
#[derive(Clone, Default)]
pub(super) struct Edited {
    /// How often the function beside the model was changed.
    pub(super) function: usize,
    /// How often a column was renamed.
    pub(super) column: usize,
}

impl Edited {
    /// A function in which nothing of the model is.
    pub(super) fn function(&self) -> String {
        format!("\npub fn edits() -> usize {{\n    {}\n}}\n", self.function)
    }

    /// The column's name.
    pub(super) fn column(&self) -> String {
        format!("edited_{}", self.column)
    }
}

/// How far the models are away that a model belongs to.
pub(super) const DISTANCES: [usize; 2] = [1, 3];

impl Place {
    /// The models it belongs to, nearest first.
    pub(super) fn parents(&self) -> impl Iterator<Item = usize> {
        DISTANCES.iter().filter_map(|distance| self.number.checked_sub(*distance))
    }

    /// The models that belong to it, nearest first.
    pub(super) fn children(&self) -> impl Iterator<Item = usize> {
        DISTANCES.iter().map(|distance| self.number + distance).filter(|child| *child < self.size)
    }
}

/// A program in a folder of its own.
pub(super) struct Program {
    library: Library,
    size: usize,
    name: String,
    folder: PathBuf,
}

impl Program {
    /// One with three models that reads and writes.
    pub(super) fn running(library: Library) -> Result<Program, String> {
        let program = Program::new(library, 3, "program")?;
        program.write("src/main.rs", library.program())?;
        Ok(program)
    }

    /// A library of many models, each in a module of its own with a function that reads it.
    pub(super) fn of_models(library: Library, size: usize) -> Result<Program, String> {
        let program = Program::new(library, size, &format!("models-{size}"))?;
        program.write("src/lib.rs", &library.root_of_models(size))?;
        for number in 0..size {
            program.write_model(number, Edited::default())?;
        }
        Ok(program)
    }

    fn new(library: Library, size: usize, name: &str) -> Result<Program, String> {
        let folder = folder().join(library.key()).join(name);
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        fs::create_dir_all(folder.join("src")).map_err(failed)?;
        let program = Program { library, size, name: name.to_owned(), folder };
        program.write(
            "Cargo.toml",
            &format!(
                "[workspace]\n\n[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
                 [dependencies]\n{}",
                library.dependencies()?
            ),
        )?;
        program.write("Cargo.lock", &lock()?)?;
        Ok(program)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Programs of many models share the dependencies that are compiled, and the small one has its own.
    pub(super) fn target(&self) -> PathBuf {
        let name = if self.size == 3 { "target-of-program" } else { "target" };
        folder().join(self.library.key()).join(name)
    }

    /// Takes all away that is compiled.
    pub(super) fn clean(&self) -> Result<(), String> {
        let target = self.target();
        if !target.exists() {
            return Ok(());
        }
        fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))
    }

    /// Writes a model as it is after edits.
    pub(super) fn write_model(&self, number: usize, edited: Edited) -> Result<(), String> {
        let place = Place { number, size: self.size, edited };
        self.write(&format!("src/m{number}.rs"), &self.library.model(&place))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_row_have_fewer_associations() {
        let place = |number| Place { number, size: 10, edited: Edited::default() };
        let both = |number| (place(number).parents().collect::<Vec<_>>(), place(number).children().collect::<Vec<_>>());
        assert_eq!(both(0), (vec![], vec![1, 3]));
        assert_eq!(both(5), (vec![4, 2], vec![6, 8]));
        assert_eq!(both(9), (vec![8, 6], vec![]));
    }

    #[test]
    fn the_lock_knows_all_libraries() {
        for library in [Library::Ours, Library::Diesel, Library::SeaOrm] {
            assert!(library.version().is_ok_and(|version| version.contains('.')), "{}", library.key());
        }
    }
}
