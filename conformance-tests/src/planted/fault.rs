//! The faults that can be planted.

macro_rules! faults {
    ($($name:ident $says:literal)+) => {
        /// What is wrong with a driver.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $(#[doc = concat!("It ", $says, ".")] $name,)+
        }

        impl Fault {
            /// All faults.
            pub const ALL: &[Fault] = &[$(Fault::$name,)+];

            /// What the driver does: `loses the last of several rows`.
            #[must_use]
            pub const fn says(self) -> &'static str {
                match self {
                    $(Fault::$name => $says,)+
                }
            }
        }
    };
}

faults! {
    LosesTheLastRow "loses the last of several rows"
    LosesASingleRow "loses a row that is the only one"
    LosesRowsAfterAThousand "gives 1,000 rows at most"
    RepeatsTheLastRow "gives the last row twice"
    ReversesRows "gives rows in the opposite order"
    SwapsColumns "swaps the last two columns of a row"
    NamesNoColumns "does not pass the names of columns"
    NamesColumnsInReverse "passes the names of columns in the opposite order"
    NamesColumnsWithRowsOnly "passes the names of columns only where there are rows"
    LosesTheLastColumn "loses the last of several columns"
    LosesWhatASinkTook "gives NULL in later rows for what a sink took out of one"
    GoesOnAfterTheSinkFailed "gives further rows to a sink that failed"
    SwallowsErrorsOfSinks "reports success though the sink failed"
    IsUnusableAfterTheSinkFailed "fails every statement after one whose sink failed"
    StaysLockedAfterAPanic "hands out no connection after a sink panicked"
    SwallowsErrorsOfQueries "reports no rows where a query failed"
    MixesUpSinks "gives rows of statements that run together to one another's sinks"
    ReportsTheLastError "reports the last error of statements that run together"
    TellsNoWatch "does not tell of statements that run together"
    RunsWhatAWatchRefuses "runs statements that were refused"
    SwallowsErrorsOfStatements "reports success where a statement failed"
    SwapsTheFirstBinds "swaps the first two values of a statement"
    SwapsTheLastBinds "swaps the last two values of a statement"
    LosesTheLastKey "loses the last key of a list"
    CutsListsAtAHundred "binds 100 elements of a list at most"
    BindsEmptyTextAsNull "binds an empty text as NULL"
    BindsEmptyBytesAsNull "binds an empty blob as NULL"
    BindsNullAsEmptyText "binds NULL as an empty text"
    BindsTextAsBytes "binds text as bytes"
    BindsBytesAsText "binds bytes as text"
    BindsTruthAsText "binds booleans as text"
    BindsTrueAsTwo "binds true as 2"
    BindsFalseAsNull "binds false as NULL"
    BindsIntegersAsText "binds integers with a blank before them, as text"
    BindsUuidsAsText "binds UUIDs as text"
    ReversesUuids "binds the bytes of UUIDs in the opposite order"
    BindsNegativeIntegersAsPositive "loses the sign of integers it binds"
    WrapsUnsignedIntegers "binds integers above 2^63 - 1 as negative ones"
    BindsNoNumberAsNull "binds a real that is no number as NULL"
    BindsInfinityAsTheLargest "binds infinity as the largest real"
    RoundsBoundReals "binds reals of single precision"
    BindsDecimalsAsReals "binds decimals as reals"
    CutsBoundDecimals "binds two places of a decimal at most"
    CutsMicroseconds "binds whole seconds of a date and time"
    CutsMicrosecondsOfTimes "binds whole seconds of a time of day"
    RoundsToMilliseconds "binds milliseconds of a date and time"
    ShiftsTimes "binds dates and times an hour later"
    ShiftsDates "binds dates a day later"
    ShiftsOldDates "binds dates of the Julian calendar as that calendar has them"
    EndsDatesIn2038 "binds the last second of 32 bits for what comes after it"
    StartsDatesIn1970 "binds 1970 for every year before"
    BindsJsonAsNull "binds JSON documents as NULL"
    TrimsBoundText "cuts blanks at the end of text it binds"
    CutsTextAt255 "cuts text after 255 characters"
    CutsTextAt65535 "cuts text after 65,535 bytes"
    CutsTextAt16Mib "cuts text after 16,777,215 bytes"
    CutsBytesAt255 "cuts blobs after 255 bytes"
    CutsBytesAt65535 "cuts blobs after 65,535 bytes"
    CutsBytesAt16Mib "cuts blobs after 16,777,215 bytes"
    LosesTheLastByte "loses the last byte of a blob"
    CutsBlanksAtTheEnd "cuts blanks at the end of text"
    CutsBlanksAtTheBeginning "cuts blanks at the beginning of text"
    EndsTextAtNul "ends text at a NUL"
    EndsBytesAtNul "ends blobs at a zero byte"
    ReadsNullAsZero "reads NULL as 0"
    ReadsNullAsEmptyText "reads NULL as an empty text"
    ReadsEmptyTextAsNull "reads an empty text as NULL"
    ReadsEmptyBytesAsNull "reads an empty blob as NULL"
    ReadsZeroAsNull "reads 0 as NULL"
    Cuts8Bits "reads 8 bits of integers"
    Cuts16Bits "reads 16 bits of integers"
    Cuts32Bits "reads 32 bits of integers"
    ClampsTheSmallestInteger "reads -2^63 as -2^63 + 1"
    ClampsTheLargestInteger "reads 2^63 - 1 as 2^63 - 2"
    ReadsIntegersAsReals "reads integers by way of reals, which round above 2^53"
    ReadsUnsignedAsSigned "reads integers of 2^31 to 2^32 as negative ones"
    RoundsReals "reads reals of single precision"
    RoundsRealsTo15Digits "reads 15 digits of reals"
    LosesSmallReals "reads reals near 0 as 0"
    ReadsTextInLowercase "reads text in lower case"
    LosesOtherThanAscii "reads characters beyond ASCII as question marks"
    LosesFourByteCharacters "reads characters of four bytes as question marks"
    ReadsLineBreaksAsBlanks "reads line breaks as blanks"
    ReadsIntegersAsText "reads integers as text"
    ForgetsTheClassOfErrors "gives every error the class `Other`"
    ForgetsUniqueViolations "gives violations of unique keys the class `Other`"
    ForgetsNotNullViolations "gives violations of NOT NULL the class `Other`"
    ForgetsForeignKeyViolations "gives violations of foreign keys the class `Other`"
    ForgetsCheckViolations "gives violations of CHECK the class `Other`"
    ForgetsWrongStatements "gives wrong statements the class `Other`"
    ForgetsRefusedValues "gives refused values the class `Other`"
    ForgetsWhatIsTooLarge "gives what is too large the class `Other`"
    ForgetsConflicts "gives deadlocks the class `Other`"
    ForgetsWhatIsReadOnly "gives what is read-only the class `Other`"
    ForgetsTimeLimits "gives what takes too long the class `Other`"
    ForgetsInterruptions "gives what is interrupted the class `Other`"
    ForgetsFullDisks "gives what the disk has no place for the class `Other`"
    ForgetsLostConnections "gives lost connections the class `Other`"
    ForgetsTheConstraint "does not say which constraint was violated"
    TakesUniqueForForeignKey "gives violations of unique keys the class of foreign keys"
    CallsErrorsRetryable "gives every error the class of deadlocks"
    CallsErrorsLostConnections "gives every error the class of a lost connection"
    ForgetsTheSql "gives errors without the SQL"
    FailsATextThatFailedBefore "fails every statement whose text failed once"
    IsUnusableAfterAnError "fails every statement after one that failed"
    ReportsNothingAffected "reports that nothing was affected"
    ReportsOneAffected "reports that one row was affected, always"
    ReportsOneMoreAffected "reports that one row more was affected"
    ReportsAnotherId "reports an id one higher than the one that the database made"
    IgnoresBegin "begins and ends no transactions"
    IgnoresBeginOfReaders "begins no transactions that read"
    BeginsReadersOnly "begins transactions that write as ones that read"
    BeginsWritersOnly "begins transactions that read as ones that write"
    SwallowsErrorsOfBegin "reports success where BEGIN failed"
    CommitsAtAnotherBegin "commits an open transaction at BEGIN"
    BeginsSnapshotsAnew "reads in each statement of a snapshot what is committed then"
    IgnoresIsolation "begins transactions of its own level where another is asked for"
    RefusesIsolation "refuses isolation levels"
    IgnoresCommit "leaves a transaction open at COMMIT"
    RollsBackInsteadOfCommit "rolls back at COMMIT"
    CommitsNothingAfterAnError "rolls back at COMMIT if a statement failed before, and reports success"
    SwallowsErrorsOfCommit "reports success where COMMIT failed"
    IgnoresRollback "leaves a transaction open at ROLLBACK"
    CommitsInsteadOfRollback "commits at ROLLBACK"
    FailsToRollBackTwice "fails to roll back what is rolled back"
    CommitsWhenDropped "commits what a dropped connection has left open"
    HandsOutAnOpenTransaction "hands out connections inside a transaction"
    GoesOnOutsideOfATransaction "runs statements outside of a transaction that is over"
    AllowsStatementsToBegin "reports success where a statement left a transaction open"
    FailsWhenAllAreInUse "fails where all connections are in use"
    IgnoresSavepoints "sets and undoes no savepoints"
    IgnoresRollbackToSavepoints "undoes no savepoints"
    SwallowsErrorsOfSavepoints "reports success where SAVEPOINT failed"
    FailsForSavepointsThatAreGone "fails to undo a savepoint that is gone"
    KeepsWhatASavepointUndoes "keeps what a savepoint undoes"
    UndoesWhatASavepointKeeps "undoes what a released savepoint keeps"
    UndoesAllWithASavepoint "undoes the whole transaction with a savepoint"
    ForgetsTheDepthOfSavepoints "knows one savepoint"
    KeepsAConnection "keeps a connection when it is dropped"
    IgnoresFilters "finds all rows"
    IgnoresFiltersOfWrites "writes all rows"
    IgnoresDescending "sorts every order ascending"
    SortsNullLast "sorts NULL last"
    IgnoresLimits "ignores limits"
    IgnoresOffsets "ignores offsets"
    SwapsLimitAndOffset "swaps limit and offset"
    IgnoresDistinct "ignores DISTINCT"
    IgnoresHaving "ignores HAVING"
    EscapesNoPatterns "takes escaped characters of patterns for wildcards"
    DoublesNoQuotes "does not double quotes in identifiers"
    QuotesNothing "does not quote identifiers"
    CutsIdentifiers "cuts identifiers after 20 characters"
    CountsOrdinalsFromOne "counts the ordinals of keys from 1"
    CutsListsOfValues "writes a list without its last value"
    ComparesDecimalsAsStored "compares decimals as they are stored"
    ComparesTagsByCollation "compares tags by the column's collation"
    AggregatesEverythingAlike "aggregates every type alike"
    AddsWhatIsTakenAway "adds where it should subtract"
    InsertsNoDefaults "writes an insert without values that the database does not know"
    ClaimsLateral "claims LATERAL"
    ClaimsAnyNumberOfBinds "claims 10 million binds"
    ClaimsRowLocks "claims locks on rows"
    ClaimsAnotherUpsert "claims another form of upserts"
    ClaimsTheOtherNullOrder "claims the opposite order of NULL"
    ClaimsNullClauses "claims `NULLS FIRST` and `NULLS LAST`"
    ClaimsByteComparableTexts "claims to compare keys byte by byte"
    ClaimsToKeepEverything "claims to store every value as it is given"
    ClaimsLongIdentifiers "claims identifiers of 1,000 bytes"
    ClaimsListedText "claims text that sorts by a declared list"
    ClaimsToSortWholeValues "claims to compare whole values in an order"
    ClaimsUpdateReturning "claims `UPDATE … RETURNING`"
    ClaimsSubselectsInWrites "claims that a write may read its own table"
    ClaimsInsertsAsGiven "claims that no trigger changes what is inserted"
    ComparesOwnersByAffinity "compares the owner's column of a subquery as a column"
    LocksNoRows "writes no locks on rows"
    ReadsRawSqlAsStandard "takes raw SQL for standard SQL"
    NamesNoIndexColumns "does not say which columns a unique index has"
    WritesStoredValuesAsText "binds values that were read as they are"
}

impl Fault {
    /// Why the fault cannot be seen from outside, on none of SQLite, MariaDB and MySQL.
    ///
    /// * [`ClaimsInsertsAsGiven`](Self::ClaimsInsertsAsGiven): SQLite does keep what it is given. The drivers of the others do
    ///   not report the last key of several rows, without which a save counts no keys and reads every row back.
    /// * [`WritesStoredValuesAsText`](Self::WritesStoredValuesAsText): MariaDB 10.11 and MySQL 9.7 take a bind beside a column
    ///   for a value of the column's type, so a decimal stays exact. Documents are compared by their text.
    #[must_use]
    pub const fn hidden(self) -> Option<&'static str> {
        match self {
            Fault::ClaimsInsertsAsGiven => Some(
                "SQLite keeps what it is given, and MariaDB and MySQL do not report the last key of several rows, without \
                 which every row is read back",
            ),
            Fault::WritesStoredValuesAsText => Some(
                "MariaDB and MySQL take a bind beside a column for a value of the column's type, and compare documents by \
                 their text",
            ),
            _ => None,
        }
    }
}
