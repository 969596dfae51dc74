#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/config/loader.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

std::optional<std::string> ReadFile(const std::string& path, std::string& error) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    error = std::generic_category().message(errno);
    return {};
  }
  if (S_ISDIR(info.st_mode)) {
    error = std::generic_category().message(EISDIR);
    return {};
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    error = std::generic_category().message(errno);
    return {};
  }
  // One byte over the limit is enough for the parser to refuse the file; a device or a pipe may never end.
  std::string text(kMaxFileBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) {
    error = "read error";
    return {};
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::vector<std::string> ListFiles(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Environment Environment::System() {
  Environment environment;
  environment.read_file = ReadFile;
  environment.list_files = ListFiles;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  environment.others_can_read = [](const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
  };
  return environment;
}

}  // namespace hookswitch::config
