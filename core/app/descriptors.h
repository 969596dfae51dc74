#pragma once

/// The file descriptors of this process.
namespace hookswitch {

/// As many connections as the limit of file descriptors allows, at most `wanted`. Raises the soft limit.
int AffordableConnections(int wanted);

/// Marks every open descriptor but stdin, stdout and stderr close-on-exec (Linux 5.11): processes that a plugin starts
/// must not keep the listeners, the journal or a sender's connection open. The core opens everything so. Call it before
/// a plugin is entered, for descriptors that hookswitch was started with; then after libraries have opened what they
/// keep (libcurl's wake-up pipe, Poco's poll sets).
void CloseAllOnExec();

/// True if no file can be opened now.
bool OutOfDescriptors();

}  // namespace hookswitch
