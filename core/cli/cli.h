#pragma once

namespace hookswitch::cli {

/// The program: reads the command line and runs one command. Returns the exit code (OPERATING.md, "Commands"): 0 fine,
/// 1 problems, 2 wrong usage or unreadable files.
int Main(int argc, char** argv);

}  // namespace hookswitch::cli
