#include <iostream>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/platforms.h"

namespace hookswitch::cli {
namespace {

/// A platform as the list shows it.
struct Shown {
  std::string name, title, covers, verify;
};

// The page's first comment: "# Retell AI: webhooks of calls …". The facts behind it follow in lines of their own.
std::string CoversOf(std::string_view page) {
  if (!page.starts_with('#')) return {};
  return std::string(Trim(page.substr(1, page.find('\n') - 1)));
}

std::vector<Shown> AllShown() {
  std::vector<Shown> all{{"bolna", "Bolna", "Bolna: webhooks of calls and of batches", ""}};
  for (const config::Platform& platform : config::Platforms()) {
    const config::Node* scheme = platform.verify.Find("scheme");
    all.push_back({platform.name, platform.title, CoversOf(platform.text), scheme ? scheme->scalar : ""});
  }
  return all;
}

}  // namespace

int SourceList(const Options& options) {
  const std::vector<Shown> all = AllShown();
  if (options.format == Format::kJson) {
    json::array list;
    for (const auto& [name, title, covers, verify] : all) {
      const json::value scheme = verify.empty() ? json::value() : json::value(verify);
      list.push_back(json::object{{"name", name}, {"title", title}, {"covers", covers}, {"verify", scheme}});
    }
    std::cout << ToText(list) << '\n';
    return kFine;
  }
  Table table({{"NAME"}, {"TITLE"}, {"VERIFY"}, {"COVERS", 24, 0, /*is_text=*/true}});
  for (const auto& [name, title, covers, verify] : all) table.Add({name, title, verify.empty() ? "-" : verify, covers});
  table.Print(std::cout, TerminalWidth());
  return kFine;
}

int SourceShow(const Options& options) {
  if (const config::Platform* platform = config::FindPlatform(options.name)) {
    std::cout << platform->text;
    return kFine;
  }
  if (options.name == "bolna" || options.name == "json") {
    return Fail(options.name == "json" ? "json is no platform: its mapping is what you write below `map:`"
                                       : "bolna has no page: its requests are read by a program of their own");
  }
  std::vector<std::string> names;
  for (const config::Platform& known : config::Platforms()) names.push_back(known.name);
  return Fail("no platform \"" + options.name + "\" is built in; " + DidYouMean(options.name, names));
}

}  // namespace hookswitch::cli
