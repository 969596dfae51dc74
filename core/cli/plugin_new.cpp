#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "core/cli/commands.h"
#include "core/cli/plugin_template.h"

namespace hookswitch::cli {
namespace {

namespace fs = std::filesystem;

bool IsPluginName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

std::string Filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out(text);
  for (const auto& [name, value] : values) {
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + value.size())) {
      out.replace(at, name.size(), value);
    }
  }
  return out;
}

/// Where a file of the template goes in the project; "" for one of another kind or language.
fs::path Place(std::string_view path, const Options& options) {
  const std::string cases = "cases-" + options.kind + "." + options.language + "/";
  if (path == options.kind + "." + options.language) return options.name + "." + options.language;
  if (path == "config-" + options.kind + ".yaml") return "tests/config.yaml";
  if (path.starts_with(cases)) return fs::path("tests/cases") / path.substr(cases.size());
  if (path == "try-" + options.kind + ".yaml") return "try.yaml";
  if (path == "project.cmake") return "CMakeLists.txt";
  if (path == "project.md") return "README.md";
  return {};
}

}  // namespace

int PluginNew(const Options& options) {
  if (!IsPluginName(options.name)) {
    return Fail(
        '"' + options.name + "\" cannot be a plugin's name: lower-case letters, digits, - and _, a letter first",
        kUsage);
  }
  const fs::path folder = options.name;
  if (fs::exists(fs::symlink_status(folder))) {
    return Fail(folder.string() + " is there already, and nothing was written");
  }
  const std::string receiver =
      options.kind == "http" ? "hookswitch plugin receive --count 1 &              # stands in for the service\n" : "";
  const std::map<std::string, std::string> values = {{"__name__", options.name},
                                                     {"__extension__", options.language},
                                                     {"__languages__", options.language == "c" ? "C" : "CXX"},
                                                     {"__receiver__\n", receiver}};
  for (const TemplateFile& file : PluginTemplate()) {
    const fs::path place = Place(file.path, options);
    if (place.empty()) continue;
    std::error_code failed;
    fs::create_directories((folder / place).parent_path(), failed);
    std::ofstream out(folder / place, std::ios::binary);
    out << Filled(file.text, values);
    if (failed || !out.flush()) {
      return Fail((folder / place).string() + " cannot be written");
    }
    std::cout << (folder / place).string() << '\n';
  }
  std::cout << "\ncd " << options.name << "\ncmake -B build && cmake --build build\n"
            << "ctest --test-dir build --output-on-failure\n"
            << "README.md there says how to try it with a router of its own, and how to install it\n";
  return kFine;
}

}  // namespace hookswitch::cli
