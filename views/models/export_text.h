// What the Export page says of an engine, and how to run it. Pure; any thread.
#pragma once

#include <QString>
#include <string>
#include <vector>

#include "sessions/session.h"

namespace strobe {

struct ExportFact {
    QString name, value;
    bool isCode = false;  // names and shapes, which wrap between their parts
};
struct ExportFacts {
    std::vector<ExportFact> contents;  // size, layers, precision, inputs, outputs, profiles, memory
    std::vector<ExportFact> machine;   // what it was built for and needs
};
ExportFacts exportFacts(const Build& build);

// A shell command and what it is for.
struct ExportCommand {
    QString title, command;
};
// Measures the engine file, runs it on the build's data, and builds it again from the model with the same settings.
std::vector<ExportCommand> exportCommands(const Build& build, const QString& modelPath, const QString& enginePath);
// A page for people, as profiler/html_report.h makes it. Needs a profile.
std::string buildReportHtml(const Build& build);
// A whole C++ program that loads and runs it.
QString cppProgram(const Build& build, const QString& enginePath);
// "model_bf16.engine" for build "BF16" of model.onnx.
QString engineFileName(const Build& build, const QString& modelName);

}  // namespace strobe
