#pragma once
#include <span>
#include <string_view>

namespace hookswitch::cli {

/// A file of plugins/template, built into the program.
struct TemplateFile {
  std::string_view path;  ///< below plugins/template: "http.cpp", "cases-http/busy.json"
  std::string_view text;
};
std::span<const TemplateFile> PluginTemplate();

}  // namespace hookswitch::cli
