//! The settings of a session that the dialect relies on.

use assoc_core::{DriverError, DriverErrorKind};

/// The modes a session of ours has. Deterministic whatever the server's configuration says:
///
/// * values that do not fit are errors, never cut or rounded to the range (`STRICT_ALL_TABLES`,
///   `ERROR_FOR_DIVISION_BY_ZERO`);
/// * no new zero dates are stored (`NO_ZERO_DATE`, `NO_ZERO_IN_DATE`), those that exist can be read;
/// * an explicit id 0 is stored as 0 (`NO_AUTO_VALUE_ON_ZERO`), as on other databases;
/// * a missing storage engine is an error (`NO_ENGINE_SUBSTITUTION`).
///
/// `autocommit` and `sql_auto_is_null` only in case the server's configuration says otherwise: the first would leave every
/// connection inside a transaction, the second makes `id IS NULL` find the row inserted last.
pub const SET_UP: &str = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,\
                          NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', autocommit = 1, \
                          sql_auto_is_null = 0";

/// Asks what [`Settings::check`] judges, and what server it is: seven columns of text.
pub const ASK: &str = "SELECT VERSION(), @@version_comment, @@sql_mode, IF(@@time_zone = 'SYSTEM', @@system_time_zone, \
                       @@time_zone), CONCAT(@@character_set_client, ',', @@character_set_connection, ',', \
                       IFNULL(@@character_set_results, 'none')), IF(@@autocommit, '1', '0'), IF(@@sql_auto_is_null, '1', '0')";

/// A session that the dialect does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "the session's `{setting}` is `{found}`: {why}; set it where the connection is opened, for example with `{remedy}`"
)]
pub struct UnfitSetting {
    /// The variable.
    pub setting: &'static str,
    /// What it is.
    pub found: String,
    /// What would go wrong.
    pub why: &'static str,
    /// A statement that sets it right.
    pub remedy: &'static str,
}

impl From<UnfitSetting> for DriverError {
    fn from(unfit: UnfitSetting) -> Self {
        DriverError::new(DriverErrorKind::Other, unfit.to_string()).with_source(unfit)
    }
}

/// The settings of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings<'s> {
    /// `@@sql_mode`.
    pub sql_mode: &'s str,
    /// `@@time_zone`, or the server's where it is `SYSTEM`.
    pub time_zone: &'s str,
    /// `@@character_set_client`, `…_connection` and `…_results`.
    pub character_sets: &'s str,
    /// `@@autocommit`.
    pub autocommit: &'s str,
    /// `@@sql_auto_is_null`.
    pub sql_auto_is_null: &'s str,
}

impl Settings<'_> {
    /// Whether the dialect can rely on them.
    ///
    /// # Errors
    /// With the first setting that does not fit.
    ///
    /// ```
    /// use assoc_dialects::mysql::settings::Settings;
    ///
    /// let lax = Settings {
    ///     sql_mode: "NO_ENGINE_SUBSTITUTION",
    ///     time_zone: "+00:00",
    ///     character_sets: "utf8mb4,utf8mb4,utf8mb4",
    ///     autocommit: "1",
    ///     sql_auto_is_null: "0",
    /// };
    /// assert_eq!(lax.check().unwrap_err().setting, "sql_mode");
    /// assert!(Settings { sql_mode: "STRICT_TRANS_TABLES", ..lax }.check().is_ok());
    /// ```
    pub fn check(&self) -> Result<(), UnfitSetting> {
        let unfit =
            |setting, found: &str, why, remedy| Err(UnfitSetting { setting, found: found.to_owned(), why, remedy });
        let has = |mode: &str| self.sql_mode.split(',').any(|own| own == mode);
        if !has("STRICT_TRANS_TABLES") && !has("STRICT_ALL_TABLES") {
            let why = "without a strict mode the server stores something else where a value does not fit";
            return unfit("sql_mode", self.sql_mode, why, "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')");
        }
        if has("NO_BACKSLASH_ESCAPES") {
            let why = "where backslashes do not escape, the end of a string in raw SQL is another one";
            let remedy = "SET sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '')";
            return unfit("sql_mode", self.sql_mode, why, remedy);
        }
        if !["+00:00", "UTC", "Etc/UTC"].contains(&self.time_zone) {
            let why = "`TIMESTAMP` columns would be read and written as another time than UTC";
            return unfit("time_zone", self.time_zone, why, "SET time_zone = '+00:00'");
        }
        if self.character_sets.split(',').any(|own| own != "utf8mb4") {
            let why = "text would be read and written in another character set than utf8mb4";
            return unfit(
                "character_set_client, …_connection, …_results",
                self.character_sets,
                why,
                "SET NAMES utf8mb4",
            );
        }
        if self.autocommit != "1" {
            let why = "every statement would begin a transaction that is not committed";
            return unfit("autocommit", self.autocommit, why, "SET autocommit = 1");
        }
        if self.sql_auto_is_null != "0" {
            let why = "`id IS NULL` would find the row that was inserted last";
            return unfit("sql_auto_is_null", self.sql_auto_is_null, why, "SET sql_auto_is_null = 0");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: Settings<'static> = Settings {
        sql_mode: "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
        time_zone: "+00:00",
        character_sets: "utf8mb4,utf8mb4,utf8mb4",
        autocommit: "1",
        sql_auto_is_null: "0",
    };

    #[test]
    fn the_setting_that_does_not_fit_is_named() {
        assert_eq!(FIT.check(), Ok(()));
        let cases = [
            (Settings { sql_mode: "", ..FIT }, "sql_mode"),
            (Settings { sql_mode: "STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES", ..FIT }, "sql_mode"),
            (Settings { time_zone: "CET", ..FIT }, "time_zone"),
            (
                Settings { character_sets: "utf8mb4,utf8mb4,latin1", ..FIT },
                "character_set_client, …_connection, …_results",
            ),
            (Settings { autocommit: "0", ..FIT }, "autocommit"),
            (Settings { sql_auto_is_null: "1", ..FIT }, "sql_auto_is_null"),
        ];
        for (settings, named) in cases {
            let unfit = settings.check().unwrap_err();
            assert_eq!(unfit.setting, named);
            let error = DriverError::from(unfit);
            assert!(error.message().contains(&format!("`{named}`")) && error.message().contains("SET "), "{error}");
        }
    }
}
