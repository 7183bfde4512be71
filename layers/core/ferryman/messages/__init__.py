"""Words for people and lines of the timeline, as rows that are ready for a transaction. Pure."""
