//! `serde_json::Value`, and types of the program that are stored as JSON.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use ::serde::de::DeserializeOwned;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ColumnType, SqlType};
use crate::error::{DecodeError, Error, Result};
use crate::value::Value;

impl ColumnType for ::serde_json::Value {
    const SQL_TYPE: SqlType = SqlType::Json;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Json(text) | Value::Text(text) => ::serde_json::from_str(text).ok(),
            Value::Blob(bytes) => ::serde_json::from_slice(bytes).ok(),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("JSON", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Json(self.to_string().into())
    }
}

/// A value of the program that a column stores as JSON. It is what serde makes of it.
///
/// ```
/// use assoc_core::Json;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
/// struct Settings {
///     theme: String,
///     #[serde(default)]
///     compact: bool,
/// }
///
/// let settings = Json::new(Settings { theme: "dark".into(), compact: false })?;
/// assert_eq!(settings.theme, "dark"); // `Json<Settings>` derefs to `Settings`.
///
/// let settings = settings.edited(|settings| settings.compact = true)?;
/// assert!(settings.compact);
/// # Ok::<(), assoc_core::Error>(())
/// ```
///
/// A model has it as a field, `settings: Json<Settings>`, or `Option<Json<Settings>>` where the column may be `NULL`. Fields of the
/// document that `T` does not know stay in the database until the column is set. Setting an equal value is no change.
pub struct Json<T> {
    value: T,
    // What is bound. Not every value of every type can be written as JSON, so it is written where that can be reported.
    text: Arc<str>,
}

impl<T: Serialize> Json<T> {
    /// Writes a value as JSON.
    ///
    /// # Errors
    /// What the `Serialize` of `T` says: a map whose keys are no texts is no JSON.
    ///
    /// ```
    /// # use assoc_core::Json;
    /// assert_eq!(Json::new(vec![1, 2])?.as_text(), "[1,2]");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn new(value: T) -> Result<Self> {
        let text = ::serde_json::to_string(&value).map_err(Error::other)?;
        Ok(Json { value, text: text.into() })
    }

    /// A changed value.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    ///
    /// ```
    /// # use assoc_core::Json;
    /// let sizes = Json::new(vec![1, 2])?.edited(|sizes| sizes.push(3))?;
    /// assert_eq!(sizes.as_text(), "[1,2,3]");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn edited(self, edit: impl FnOnce(&mut T)) -> Result<Self> {
        let mut value = self.value;
        edit(&mut value);
        Json::new(value)
    }
}

impl<T> Json<T> {
    /// The value.
    ///
    /// ```
    /// # use assoc_core::Json;
    /// let sizes: Vec<i32> = Json::new(vec![1, 2])?.into_inner();
    /// assert_eq!(sizes, [1, 2]);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The value as JSON.
    ///
    /// ```
    /// # use assoc_core::Json;
    /// assert_eq!(Json::new(("S", 36))?.as_text(), r#"["S",36]"#);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Clone> Clone for Json<T> {
    fn clone(&self) -> Self {
        Json { value: self.value.clone(), text: Arc::clone(&self.text) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Json<T> {}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Serialize + Deserialize<'de>> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Json::new(T::deserialize(deserializer)?).map_err(::serde::de::Error::custom)
    }
}

impl<T> ColumnType for Json<T>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    const SQL_TYPE: SqlType = SqlType::Json;

    fn from_value(value: &mut Value<'_>) -> std::result::Result<Self, DecodeError> {
        const EXPECTED: &str = "the JSON of its type";
        let read: ::serde_json::Result<T> = match value {
            Value::Json(text) | Value::Text(text) => ::serde_json::from_str(text),
            Value::Blob(bytes) => ::serde_json::from_slice(bytes),
            _ => return Err(DecodeError::new(EXPECTED, value)),
        };
        read.map_err(|error| error.to_string())
            .and_then(|read| Json::new(read).map_err(|error| error.to_string()))
            .map_err(|error| DecodeError::new(EXPECTED, value).because(&error))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Json(Cow::Borrowed(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    struct Settings {
        theme: String,
        #[serde(default)]
        compact: bool,
    }

    #[test]
    fn typed_documents() {
        let settings = Settings { theme: "dark".to_owned(), compact: true };
        let json = Json::new(settings.clone()).unwrap();
        assert_eq!(json.to_value(), Value::Json(r#"{"theme":"dark","compact":true}"#.into()));
        for text in [r#"{"theme":"dark","compact":true}"#, r#" {"compact": true, "old": 1, "theme": "dark"}"#] {
            for mut value in [Value::Json(text.into()), Value::Text(text.into()), Value::Blob(text.as_bytes().into())] {
                let read = Json::<Settings>::from_value(&mut value).unwrap();
                assert_eq!((&*read, read.as_text()), (&settings, json.as_text()));
            }
        }
        let error = Json::<Settings>::from_value(&mut Value::Json(r#"{"compact": true}"#.into())).unwrap_err();
        assert_eq!(
            error.at("User", "settings").to_string(),
            "column `User.settings` cannot be read as the JSON of its type: the database holds JSON ({\"compact\": true}): \
             missing field `theme` at line 1 column 17"
        );
        assert!(Json::<Settings>::from_value(&mut Value::Int(1)).is_err());
        assert_eq!(Option::<Json<Settings>>::from_value(&mut Value::Null).unwrap(), None);
        assert_eq!(Json::<Option<i64>>::from_value(&mut Value::Json("null".into())).unwrap().into_inner(), None);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(Json::new(HashMap::from([((1, 2), 3)])).is_err());
        let json = Json::new(HashMap::<String, f64>::new()).unwrap();
        let json = json.edited(|map| _ = map.insert("a".to_owned(), 0.5)).unwrap();
        assert_eq!(json.as_text(), r#"{"a":0.5}"#);
        let copy: Json<HashMap<String, f64>> =
            ::serde_json::from_str(&::serde_json::to_string(&json).unwrap()).unwrap();
        assert_eq!(copy, json);
    }
}
