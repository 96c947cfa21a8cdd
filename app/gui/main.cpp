#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QSettings>
#include <cstdio>

#include "app/gui/main_window.h"
#include "kernels/cpu/register.h"
#include "kernels/cuda_loader.h"
#include "views/widgets/theme.h"

namespace {

/// The sample beside the installed program, or in the source tree that it was built from.
QString samplePath() {
    const QString installed = QCoreApplication::applicationDirPath() + "/../share/strobe/sample/digits.onnx";
    return QFileInfo::exists(installed) ? QFileInfo(installed).canonicalFilePath() : QStringLiteral(STROBE_SOURCE_DIR "/resources/sample/digits.onnx");
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setOrganizationName("strobe");
    QApplication::setApplicationName("strobe");
    QApplication::setApplicationDisplayName("Strobe");
    QApplication::setApplicationVersion(STROBE_VERSION);
    QCommandLineParser parser;
    parser.setApplicationDescription("Strobe: build, profile, compare and export neural-network inference engines.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOption({"theme", "light, dark or system", "theme"});
    parser.addPositionalArgument("file", "an ONNX model or a Strobe session", "[model.onnx|session.strobe]");
    parser.process(application);

    const QStringList themes{"system", "light", "dark"};
    const QString theme = parser.value("theme");
    if (parser.isSet("theme") && !themes.contains(theme)) {
        std::fprintf(stderr, "strobe: --theme=%s; allowed: light, dark, system\n", qPrintable(theme));
        return 2;
    }
    const int mode = parser.isSet("theme") ? static_cast<int>(themes.indexOf(theme)) : QSettings().value("window/theme", 0).toInt();
    strobe::Theme::instance().setMode(static_cast<strobe::ThemeMode>(mode));
    strobe::Theme::instance().install();

    strobe::KernelRegistry kernels;
    strobe::registerCpuKernels(kernels);
    strobe::registerCudaModule(kernels);
    strobe::Session session(kernels);
    strobe::MainWindow window(session, samplePath());
    window.show();
    if (!parser.positionalArguments().isEmpty()) window.openPath(parser.positionalArguments().front());
    return QApplication::exec();
}
