#pragma once
#include <string>

#include "core/base/result.h"

namespace hookswitch {

/// Writes a copy of the journal in `path` to `target`: a journal that opens by itself, with all that was answered
/// before this began.
///
/// Works beside a router that uses the journal, which it holds up for some milliseconds, and on a damaged journal as
/// far as its file can be read. `target` appears whole or not at all, for its owner only (0600), and is on disk on
/// return; nothing that exists is replaced or removed. Errors: kInvalid (`target` exists; `path` is no journal),
/// kUnavailable (anything else; the message names the file).
Status BackupJournal(const std::string& path, const std::string& target);

}  // namespace hookswitch
