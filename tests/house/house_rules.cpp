#include "tests/house/house_rules.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>

#include "core/base/text.h"

namespace hookswitch::house {
namespace {

// A folder links and includes lower floors only. plugins/ (the ABI) is on floor 1, beside event.
const std::map<std::string, int, std::less<>> kFloors = {
    {"base", 0},    {"event", 1},   {"config", 2}, {"sources", 3}, {"routing", 3},  {"message", 3},
    {"journal", 3}, {"plugins", 3}, {"http", 3},   {"ingress", 4}, {"delivery", 4}, {"conformance", 4},
    {"admin", 5},   {"demo", 5},    {"app", 6},    {"cli", 7}};
constexpr int kAbiFloor = 1;

// Header prefix of a library, and the folders that wrap it. Boost.JSON is everywhere: core/base/json.h is its door.
const std::multimap<std::string, std::string> kWrappers = {
    {"Poco/", "core/ingress"},    {"sqlite3.h", "core/journal"}, {"curl/", "core/http"},
    {"yaml-cpp/", "core/config"}, {"CLI/", "core/cli"},          {"prometheus/", "core/base"},
    {"spdlog/", "core/base"},     {"kainjow/", "core/message"},  {"systemd/", "core/cli"}};

struct Include {
  int line;
  std::string path;
  bool quoted;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Include> Includes(const std::string& text) {
  std::vector<Include> includes;
  int number = 0;
  for (const std::string& line : Lines(text)) {
    ++number;
    std::string_view rest = Trim(line);
    if (!rest.starts_with('#')) continue;
    rest = Trim(rest.substr(1));
    if (!rest.starts_with("include")) continue;
    rest = Trim(rest.substr(7));
    const bool quoted = rest.starts_with('"');
    if (!quoted && !rest.starts_with('<')) continue;
    const std::size_t end = rest.find(quoted ? '"' : '>', 1);
    if (end != std::string_view::npos) includes.push_back({number, std::string(rest.substr(1, end - 1)), quoted});
  }
  return includes;
}

bool IsCode(std::string_view path) {
  return path.ends_with(".h") || path.ends_with(".cpp") || path.ends_with(".c");
}

/// The first `count` folders of a path: "core/base" of "core/base/text.h" for 2.
std::string Top(std::string_view path, int count) {
  std::size_t end = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t slash = path.find('/', end == 0 ? 0 : end + 1);
    if (slash == std::string_view::npos) return std::string(path);
    end = slash;
  }
  return std::string(path.substr(0, end));
}

std::optional<int> FloorOf(std::string_view path) {
  const auto found = kFloors.find(Top(path.substr(5), 1));
  if (found == kFloors.end()) return {};
  return found->second;
}

std::string CheckCoreInclude(const std::string& file, int floor, const std::string& include) {
  if (include.starts_with("hookswitch/") || include.starts_with("plugins/")) {
    return floor > kAbiFloor ? "" : "the plugin ABI is not below this folder";
  }
  if (!include.starts_with("core/")) {
    const std::string top = Top(include, 1);
    const bool ours = top == "sinks" || top == "tests" || top == "examples" || top == "config";
    return ours ? "core does not know " + top + "/" : "";
  }
  if (Top(include, 2) == Top(file, 2) || include == "core/base/version.h") return "";
  const auto other = FloorOf(include);
  if (!other) return Top(include, 2) + " is on no floor";
  if (*other < floor) return "";
  return *other == floor ? Top(include, 2) + " is a peer on the same floor" : Top(include, 2) + " is on a higher floor";
}

bool HasWord(std::string_view text, std::string_view word) {
  // With "_" it is a part of a name, as of libpq's parameters.
  auto letter = [&](std::size_t at) {
    return at < text.size() && (text[at] == '_' || std::isalpha(static_cast<unsigned char>(text[at])));
  };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    // Behind a slash it is a part of a path, which others know by that name.
    const bool in_path = at > 0 && text[at - 1] == '/';
    if (!in_path && !(at > 0 && letter(at - 1)) && !letter(at + word.size())) return true;
  }
  return false;
}

}  // namespace

Tree ReadTree(const std::string& top) {
  namespace fs = std::filesystem;
  static const std::set<std::string> kTops = {"core", "sinks", "plugins", "config", "tests", "examples"};
  static const std::set<std::string> kKinds = {".h",  ".cpp",  ".c",    ".in", ".txt", ".cmake", ".md",
                                               ".sh", ".yaml", ".html", ".js", ".css", ".svg"};
  Tree tree;
  const auto add = [&](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    tree[fs::relative(path, top).string()] = {std::istreambuf_iterator<char>(in), {}};
  };
  for (const fs::directory_entry& entry : fs::directory_iterator(top)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && (name == "CMakeLists.txt" || name == "README.md")) add(entry.path());
    if (!entry.is_directory() || !kTops.contains(name)) continue;
    for (const fs::directory_entry& file : fs::recursive_directory_iterator(entry.path())) {
      if (file.is_regular_file() && kKinds.contains(file.path().extension())) add(file.path());
    }
  }
  return tree;
}

std::vector<Finding> CheckFloors(const Tree& tree) {
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    if (!IsCode(file) || file.starts_with("tests/")) continue;
    const bool core = file.starts_with("core/");
    const auto floor = core ? FloorOf(file) : std::nullopt;
    if (core && !floor) findings.push_back({file, 0, Top(file, 2) + " is on no floor"});
    if (core && !floor) continue;
    for (const Include& include : Includes(text)) {
      std::string what;
      const std::string top = Top(include.path, 1);
      if (core) {
        what = CheckCoreInclude(file, *floor, include.path);
      } else if (include.path.find("../") != std::string::npos) {
        what = "leaves its folder";
      } else if (top == "core" || top == "tests" || top == "examples" || top == "sinks") {
        const bool own = Top(include.path, 2) == Top(file, 2);
        if (!own) what = Top(file, 1) + " sees plugins/ only";
      }
      if (!what.empty()) findings.push_back({file, include.line, "includes \"" + include.path + "\": " + what});
    }
  }
  return findings;
}

std::vector<Finding> CheckLibraries(const Tree& tree) {
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    if (!IsCode(file) || !file.starts_with("core/")) continue;
    for (const Include& include : Includes(text)) {
      const auto wrapper = std::find_if(kWrappers.begin(), kWrappers.end(),
                                        [&](const auto& pair) { return include.path.starts_with(pair.first); });
      if (wrapper == kWrappers.end()) continue;
      if (Top(file, 2) != wrapper->second) {
        findings.push_back(
            {file, include.line, "includes <" + include.path + ">, which " + wrapper->second + " wraps"});
      }
    }
  }
  return findings;
}

std::vector<Finding> CheckFileNames(const Tree& tree) {
  std::vector<Finding> findings;
  std::map<std::string, std::string, std::less<>> seen;
  for (const auto& [file, text] : tree) {
    if (!IsCode(file) || !file.starts_with("core/")) continue;
    const auto [first, fresh] = seen.emplace(file.substr(file.rfind('/') + 1), file);
    if (!fresh) findings.push_back({file, 0, "has the name of " + first->second});
  }
  return findings;
}

std::vector<Finding> CheckTestsAreRegistered(const Tree& tree) {
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    if (!file.starts_with("tests/") || !file.ends_with("_test.cpp")) continue;
    bool registered = false;
    for (std::size_t slash = file.rfind('/'); slash != std::string::npos && !registered;
         slash = file.rfind('/', slash - 1)) {
      const auto list = tree.find(file.substr(0, slash) + "/CMakeLists.txt");
      if (list == tree.end()) continue;
      const std::string name = file.substr(slash + 1);
      for (std::size_t at = list->second.find(name); at != std::string::npos; at = list->second.find(name, at + 1)) {
        const char before = at == 0 ? ' ' : list->second[at - 1];
        registered = registered || before == ' ' || before == '\n' || before == '(' || before == '\t' || before == '/';
      }
    }
    if (!registered) findings.push_back({file, 0, "no CMakeLists.txt names it, so it is never run"});
  }
  return findings;
}

std::vector<Finding> CheckTestsDoNotSleep(const Tree& tree) {
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    if (!file.starts_with("tests/") || !IsCode(file) || file.starts_with("tests/house/")) continue;
    int number = 0;
    for (const std::string& line : Lines(text)) {
      ++number;
      for (const char* word : {"sleep_for(", "sleep_until(", "usleep(", "nanosleep(", " sleep("}) {
        if (line.find(word) != std::string::npos) findings.push_back({file, number, "sleeps"});
      }
    }
  }
  return findings;
}

std::vector<Finding> CheckWords(const Tree& tree) {
  // Written in two halves so that this list does not find itself.
  static const std::vector<std::string> kWords = {
      "to"
      "do:",
      "to"
      "do(",
      "fix"
      "me",
      "work"
      "tree",
      "cla"
      "ude",
      "anth"
      "ropic",
      "chat"
      "gpt",
      "co"
      "pilot",
      "sub"
      "agent",
      "/tmp"
      "/hs",
      "/work"
      "/shared",
      "the "
      "integrator",
      "language"
      " model"};
  // These are parts of names that are not ours to choose.
  static const std::vector<std::string> kWholeWords = {
      "hel"
      "per",
      "hel"
      "pers",
      "ses"
      "sion",
      "ses"
      "sions"};
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    // There the fields have the names that the platforms gave them.
    const bool platform = file.starts_with("core/sources/platforms/");
    int number = 0;
    for (const std::string& line : Lines(text)) {
      ++number;
      const std::string lower = ToLower(line);
      for (const std::string& word : kWords) {
        if (lower.find(word) != std::string::npos) findings.push_back({file, number, "says \"" + word + "\""});
      }
      for (const std::string& word : kWholeWords) {
        if (!platform && HasWord(lower, word)) findings.push_back({file, number, "says \"" + word + "\""});
      }
    }
  }
  return findings;
}

std::vector<Finding> CheckPage(const Tree& tree) {
  constexpr int kMostLines = 250;
  struct Rule {
    std::regex found;
    std::string_view kinds;  // of files
    std::string what;
  };
  static const std::vector<Rule> kRules = [] {
    std::vector<Rule> rules;
    const auto add = [&](const char* expression, std::string_view kinds, const char* what) {
      rules.push_back({std::regex(expression), kinds, what});
    };
    // A name in quotes that is compared with is none that is set.
    add(R"((\.|\[\s*["'`])(innerHTML|outerHTML|srcdoc)|(innerHTML|outerHTML|srcdoc)["']?\s*:)", ".js",
        "makes HTML from text");
    add(R"(insertAdjacentHTML|createContextualFragment|DOMParser|document\.write)", ".js", "makes HTML from text");
    add(R"(\beval\s*\(|new\s+Function\b|javascript:|(setTimeout|setInterval)\s*\(\s*["'`])", ".js .html .svg",
        "runs text as a program");
    add(R"(setAttribute\s*\(\s*["'`](on|style))", ".js", "sets a handler or a style as text");
    add(R"(\s(on[a-z]+|style)\s*=|<style|<script(?![^>]*\ssrc=))", ".html .svg", "has something inline");
    add(R"((https?|wss?)://(?!\$\{|(www\.)?w3\.org/))", ".js .html .css .svg", "names another site");
    return rules;
  }();
  std::vector<Finding> findings;
  for (const auto& [file, text] : tree) {
    const auto dot = file.rfind('.');
    if (!file.starts_with("core/admin/page/") || dot == std::string::npos || file.ends_with(".md")) continue;
    const std::string kind = file.substr(dot);
    int number = 0;
    for (const std::string& line : Lines(text)) {
      ++number;
      for (const Rule& rule : kRules) {
        const bool is_for = (std::string(rule.kinds) + ' ').find(kind + ' ') != std::string::npos;
        if (is_for && std::regex_search(line, rule.found)) findings.push_back({file, number, rule.what});
      }
    }
    if (number > kMostLines) findings.push_back({file, number, "has more than 250 lines"});
  }
  return findings;
}

}  // namespace hookswitch::house
