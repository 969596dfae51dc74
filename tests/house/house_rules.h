#pragma once
#include <map>
#include <string>
#include <vector>

/// The rules of the house that a compiler does not know (core/README.md).
namespace hookswitch::house {

/// Paths from the top of the tree, and what the files say.
using Tree = std::map<std::string, std::string>;

struct Finding {
  std::string file;
  int line = 0;  ///< 0: the file as a whole
  std::string what;
};

/// The sources, scripts and texts below `top`; build folders and data are left out.
Tree ReadTree(const std::string& top);

/// Folders of core/ include lower floors only, never a peer; sinks/ and examples/ see plugins/ only; plugins/ sees
/// nothing of ours; nothing outside tests/ sees tests/.
std::vector<Finding> CheckFloors(const Tree& tree);
/// A library's headers are included only by the folder that wraps it.
std::vector<Finding> CheckLibraries(const Tree& tree);
/// No two files of core/ have one name: who goes to a file by its name finds the one that was meant.
std::vector<Finding> CheckFileNames(const Tree& tree);
/// Every tests/**/*_test.cpp is named in the CMakeLists.txt of its folder or of one above: a test that is not built
/// never fails.
std::vector<Finding> CheckTestsAreRegistered(const Tree& tree);
/// Tests wait for what they wait for; they do not sleep.
std::vector<Finding> CheckTestsDoNotSleep(const Tree& tree);
/// Nothing speaks of how or where it was written, and nothing is left undone in a comment.
std::vector<Finding> CheckWords(const Tree& tree);

/// The inspector page (core/admin/page) makes elements from text only, has nothing inline that its policy forbids,
/// names no other site, and no file of more than 250 lines.
std::vector<Finding> CheckPage(const Tree& tree);

}  // namespace hookswitch::house
