//! planner placeholder
