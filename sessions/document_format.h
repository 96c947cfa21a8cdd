#pragma once
#include "sessions/database.h"

namespace strobe {

/// Versions of a session document, as SQLite's user_version: 1 had no checksum; in 2 a build's engine was one blob; since 3 it lies in
/// pieces in a table of its own, and the model's size is stored.
inline constexpr int kDocumentVersion = 3;
/// Row of the table `meta` whose value is documentChecksum().
inline constexpr const char* kChecksumKey = "checksum";

/// Creates the tables of kDocumentVersion.
Status createDocumentTables(Database& db);

/// Of all rows of all tables but of its own. Reads piece by piece; errors: the database's, Cancelled.
Result<std::string> documentChecksum(Database& db, int version, const CancelToken& cancel);

/// The version of a document whose contents are what was saved. InvalidModel for another file or a damaged one, Unsupported for a newer
/// version; a version without checksum is believed only where nothing tells of a newer one.
Result<int> checkDocument(Database& db, const std::string& path, const CancelToken& cancel);

/// InvalidModel: "<path>: the session is damaged (<how>); …".
Status damagedDocument(const std::string& path, const std::string& how);

}  // namespace strobe
