//! MySQL and MariaDB backend of assoc, on mysql_async.
