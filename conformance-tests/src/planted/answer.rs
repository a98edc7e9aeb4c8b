//! Faults in what comes back from the database.

use std::borrow::Cow;

use assoc_core::driver::{AnswerColumn, ExecResult, RowSink};
use assoc_core::{DriverError, DriverErrorKind, Error, Result, Value};

use super::Fault;

/// Rows on their way to a sink, as a driver with a fault gives them.
pub(super) struct Rows<'s> {
    fault: Fault,
    sink: &'s mut dyn RowSink,
    rows: Vec<Vec<Value<'static>>>,
    // Names that wait for a row.
    names: Vec<(String, bool)>,
}

impl<'s> Rows<'s> {
    pub(super) fn new(fault: Fault, sink: &'s mut dyn RowSink) -> Self {
        Rows { fault, sink, rows: Vec::new(), names: Vec::new() }
    }

    pub(super) fn deliver(mut self) -> Result<()> {
        let mut rows = std::mem::take(&mut self.rows);
        match self.fault {
            Fault::LosesTheLastRow if rows.len() > 1 => drop(rows.pop()),
            Fault::LosesASingleRow if rows.len() == 1 => drop(rows.pop()),
            Fault::LosesRowsAfterAThousand => rows.truncate(1_000),
            Fault::RepeatsTheLastRow => rows.extend(rows.last().cloned()),
            Fault::ReversesRows => rows.reverse(),
            _ => {}
        }
        if !self.names.is_empty() && !rows.is_empty() {
            let columns: Vec<_> =
                self.names.iter().map(|(name, is_computed)| AnswerColumn { name, is_computed: *is_computed }).collect();
            self.sink.columns(&columns)?;
        }
        let mut taken: Vec<usize> = Vec::new();
        for row in &mut rows {
            taken.iter().for_each(|at| row[*at] = Value::Null);
            let held: Vec<bool> = row.iter().map(|value| !value.is_null()).collect();
            match self.sink.row(row) {
                Err(_) if self.fault == Fault::GoesOnAfterTheSinkFailed => {}
                Err(_) if self.fault == Fault::SwallowsErrorsOfSinks => return Ok(()),
                outcome => outcome?,
            }
            if self.fault == Fault::LosesWhatASinkTook {
                taken.extend((0..row.len()).filter(|at| held[*at] && row[*at].is_null()));
            }
        }
        Ok(())
    }
}

impl RowSink for Rows<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let mut row: Vec<_> =
            values.iter_mut().map(|value| read(self.fault, std::mem::take(value).into_owned())).collect();
        if self.fault == Fault::SwapsColumns && row.len() > 1 {
            let last = row.len() - 1;
            row.swap(last, last - 1);
        }
        if self.fault == Fault::LosesTheLastColumn && row.len() > 1 {
            row.pop();
        }
        self.rows.push(row);
        Ok(())
    }

    fn wants_columns(&self) -> bool {
        self.fault != Fault::NamesNoColumns && self.sink.wants_columns()
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        if self.fault == Fault::NamesColumnsWithRowsOnly {
            self.names = columns.iter().map(|column| (column.name.to_owned(), column.is_computed)).collect();
            return Ok(());
        }
        if self.fault == Fault::NamesColumnsInReverse {
            let reversed: Vec<_> = columns.iter().rev().copied().collect();
            return self.sink.columns(&reversed);
        }
        self.sink.columns(columns)
    }
}

fn read(fault: Fault, value: Value<'static>) -> Value<'static> {
    match (fault, value) {
        (Fault::ReadsNullAsZero, Value::Null) => Value::Int(0),
        (Fault::ReadsNullAsEmptyText, Value::Null) => Value::Text("".into()),
        (Fault::ReadsEmptyTextAsNull, Value::Text(text)) if text.is_empty() => Value::Null,
        (Fault::ReadsEmptyBytesAsNull, Value::Blob(bytes)) if bytes.is_empty() => Value::Null,
        (Fault::ReadsZeroAsNull, Value::Int(0)) => Value::Null,
        (_, Value::Text(text)) => Value::Text(read_text(fault, text)),
        (_, Value::Blob(bytes)) => Value::Blob(read_bytes(fault, bytes)),
        (Fault::ReadsIntegersAsText, Value::Int(int)) => Value::Text(format!("{int}").into()),
        (_, Value::Int(int)) => Value::Int(read_integer(fault, int)),
        (_, Value::Real(real)) => Value::Real(read_real(fault, real)),
        (_, value) => value,
    }
}

fn read_integer(fault: Fault, int: i64) -> i64 {
    match fault {
        Fault::Cuts8Bits => i64::from(int as i8),
        Fault::Cuts16Bits => i64::from(int as i16),
        Fault::Cuts32Bits => i64::from(int as i32),
        Fault::ClampsTheSmallestInteger => int.max(i64::MIN + 1),
        Fault::ClampsTheLargestInteger => int.min(i64::MAX - 1),
        Fault::ReadsIntegersAsReals => int as f64 as i64,
        Fault::ReadsUnsignedAsSigned if (1 << 31..1 << 32).contains(&int) => int - (1 << 32),
        _ => int,
    }
}

fn read_real(fault: Fault, real: f64) -> f64 {
    match fault {
        Fault::RoundsReals => f64::from(real as f32),
        Fault::RoundsRealsTo15Digits => format!("{real:.14e}").parse().unwrap_or(real),
        Fault::LosesSmallReals if real.abs() < 1e-30 => 0.0,
        _ => real,
    }
}

fn read_text(fault: Fault, text: Cow<'static, str>) -> Cow<'static, str> {
    let cut = |bytes: usize| {
        let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text[..end].to_owned().into()
    };
    match fault {
        Fault::CutsTextAt255 => text.chars().take(255).collect::<String>().into(),
        Fault::CutsTextAt65535 => cut(65_535),
        Fault::CutsTextAt16Mib => cut((1 << 24) - 1),
        Fault::CutsBlanksAtTheEnd => text.trim_end_matches(' ').to_owned().into(),
        Fault::CutsBlanksAtTheBeginning => text.trim_start_matches(' ').to_owned().into(),
        Fault::EndsTextAtNul => cut(text.find('\0').unwrap_or(text.len())),
        Fault::ReadsTextInLowercase => text.to_lowercase().into(),
        Fault::LosesOtherThanAscii => text.replace(|character: char| !character.is_ascii(), "?").into(),
        Fault::LosesFourByteCharacters => text.replace(|character: char| character.len_utf8() == 4, "?").into(),
        Fault::ReadsLineBreaksAsBlanks => text.replace('\n', " ").into(),
        _ => text,
    }
}

fn read_bytes(fault: Fault, bytes: Cow<'static, [u8]>) -> Cow<'static, [u8]> {
    let length = match fault {
        Fault::CutsBytesAt255 => bytes.len().min(255),
        Fault::CutsBytesAt65535 => bytes.len().min(65_535),
        Fault::CutsBytesAt16Mib => bytes.len().min((1 << 24) - 1),
        Fault::LosesTheLastByte => bytes.len().saturating_sub(1),
        Fault::EndsBytesAtNul => bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()),
        _ => return bytes,
    };
    bytes[..length].to_vec().into()
}

/// What a write did, as a driver with a fault reports it.
pub(super) fn executed(fault: Fault, executed: ExecResult) -> ExecResult {
    let affected = match fault {
        Fault::ReportsNothingAffected => 0,
        Fault::ReportsOneAffected => 1,
        Fault::ReportsOneMoreAffected => executed.affected + 1,
        _ => executed.affected,
    };
    let other = |id: i64| if fault == Fault::ReportsAnotherId { id + 1 } else { id };
    let result = ExecResult::new(affected, executed.last_insert_id.map(other));
    executed.last_of_several.map_or(result, |id| result.with_last_of_several(other(id)))
}

/// An error as a driver with a fault gives it.
pub(super) fn error(fault: Fault, error: Error) -> Error {
    use DriverErrorKind::{
        CheckViolation, ConnectionLost, DiskFull, ForeignKeyViolation, Interrupted, NotNullViolation, Other, ReadOnly,
        Retryable, Statement, TimeLimit, TooLarge, UniqueViolation, Value,
    };
    let Some(driver) = error.driver() else { return error };
    let kind = match (fault, driver.kind()) {
        (Fault::ForgetsTheClassOfErrors, _)
        | (Fault::ForgetsUniqueViolations, UniqueViolation)
        | (Fault::ForgetsNotNullViolations, NotNullViolation)
        | (Fault::ForgetsForeignKeyViolations, ForeignKeyViolation)
        | (Fault::ForgetsCheckViolations, CheckViolation)
        | (Fault::ForgetsRefusedValues, Value)
        | (Fault::ForgetsWhatIsTooLarge, TooLarge)
        | (Fault::ForgetsWhatIsReadOnly, ReadOnly)
        | (Fault::ForgetsTimeLimits, TimeLimit)
        | (Fault::ForgetsInterruptions, Interrupted)
        | (Fault::ForgetsFullDisks, DiskFull)
        | (Fault::ForgetsConflicts, Retryable)
        | (Fault::ForgetsLostConnections, ConnectionLost)
        | (Fault::ForgetsWrongStatements, Statement) => Other,
        (Fault::TakesUniqueForForeignKey, UniqueViolation) => ForeignKeyViolation,
        (Fault::CallsErrorsRetryable, _) => Retryable,
        (Fault::CallsErrorsLostConnections, _) => ConnectionLost,
        (Fault::ForgetsTheSql | Fault::ForgetsTheConstraint, kind) => kind,
        _ => return error,
    };
    let mut changed = DriverError::new(kind, driver.message());
    if fault == Fault::ForgetsTheConstraint {
        return driver
            .sql()
            .map_or_else(|| changed.into(), |sql| DriverError::new(kind, driver.message()).with_sql(sql).into());
    }
    if let Some(table) = driver.table() {
        changed = changed.with_table(table);
    }
    if let Some(constraint) = driver.constraint() {
        changed = changed.with_constraint(constraint);
    }
    changed = changed.with_columns(driver.columns().iter().cloned());
    match driver.sql().filter(|_| fault != Fault::ForgetsTheSql) {
        Some(sql) => changed.with_sql(sql).into(),
        None => changed.into(),
    }
}
