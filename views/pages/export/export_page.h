// What do I ship? The engine file of a build: what is in it, for which machine, how to run it.
#pragma once

#include <functional>
#include <memory>

#include "sessions/session.h"
#include "views/models/export_text.h"
#include "views/pages/page.h"

class QComboBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QStackedWidget;
class QVBoxLayout;

namespace strobe {

class CommandText;
class EmptyState;
class KeyValueView;

class ExportPage : public Page {
    Q_OBJECT
public:
    enum class Report { Html, LayerCsv, ProfileJson, LayerInfoJson };

    explicit ExportPage(WorkbenchContext& context, QWidget* parent = nullptr);
    QWidget* focusTarget() override;
    // Writes the chosen build's engine to the path in the field, as a job; what came of it shows on the page.
    void exportEngine();
    // Likewise a report of it.
    void saveReport(Report report, const QString& path);

private:
    QWidget* buildActions();
    void addPathRow(QVBoxLayout& layout);
    void addReportButtons(QVBoxLayout& layout);
    void addHeading(QVBoxLayout& layout, const QString& heading);
    QPlainTextEdit* addProgram(QVBoxLayout& layout);
    QPushButton* makeCopyButton(const QString& what, const std::function<QString()>& text);
    void fillCommands(const std::vector<ExportCommand>& commands);
    void followBuilds();
    void followCurrent();
    void showBuild();
    void updateSnippets();
    void followJob();
    void say(const QString& text, bool isError);
    std::shared_ptr<const Build> chosen() const;

    QComboBox* m_builds;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    KeyValueView* m_contents;
    QLineEdit* m_path;
    QPushButton* m_export;
    std::vector<QPushButton*> m_reportButtons;
    QLabel* m_outcome;
    struct CommandRow {
        QLabel* title;
        CommandText* text;
        QPushButton* copy;
    };
    QGridLayout* m_commandGrid;
    std::vector<CommandRow> m_commands;
    QPlainTextEdit* m_program;
    bool m_isPathOwn = false;     // the user chose the path
    bool m_isOutcomeError = false;
    JobId m_job = 0;
    QString m_allowedPath;        // chosen in a dialog, to be written over
    QString m_writtenPath;        // the last engine file, of this build
    int m_writtenBuild = 0;
    int m_outcomeBuild = 0;       // that the outcome shown is about
    bool m_isJobEngine = false;   // else a report
    QString m_jobPath;
};

}  // namespace strobe
