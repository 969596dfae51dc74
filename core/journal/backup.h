#pragma once
#include <string>

#include "core/base/result.h"

namespace hookswitch {

/// Copies the journal in `path` to `target`: a complete journal with everything that was acknowledged before the call.
///
/// Works while a router uses the journal (blocking it for some milliseconds), and on a damaged journal as far as its
/// file can be read. `target` appears whole or not at all, with mode 0600, and is on disk on return; existing files are
/// never replaced or removed. Errors: kInvalid (`target` exists; `path` is no journal), kUnavailable (anything else;
/// the message names the file).
Status BackupJournal(const std::string& path, const std::string& target);

}  // namespace hookswitch
